"""The kernel: walks the bytes of many packets along one instruction table.

It reads packets where they are, by address, so that no packet is copied. Every read is
checked against the packet's end first; work is bounded by the packet's length, because every
array item takes at least one byte.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from services.ingest.avro import instructions as op

MAX_ITEMS = 100_000
"""Most items of one list in one packet; ZTF's histories reach some hundreds."""
MAX_STRING_BYTES = 65_535
"""Of a text that is wanted: an identifier or a name. Kept as ``start << 24 | length``."""
MAX_NESTING = 16
TOO_LONG_FOR_SHORT = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Stands for a text of more than 8 bytes in a short column; no UTF-8 text looks like it."""


def _loader(bits: int, returned: Any) -> Any:
    """An unchecked, unaligned load of ``bits`` bits from an address."""

    @intrinsic
    def load(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = builder.inttoptr(args[0], ir.IntType(bits).as_pointer())
            return builder.load(pointer, align=1)

        return returned(types.int64), generate

    return load


_byte_at = _loader(8, types.uint8)
_word_at = _loader(32, types.uint32)
_long_at = _loader(64, types.uint64)


@njit(cache=True, nogil=True, forceinline=True)
def _number(at: int, end: int) -> tuple[Any, int]:
    """The zigzag number at an address and the address after it; minus a fault if there is none."""
    if at >= end:
        return 0, -op.TRUNCATED
    byte = np.uint64(_byte_at(at))
    at += 1
    value = byte & np.uint64(0x7F)
    shift = np.uint64(7)
    while byte >= np.uint64(0x80):
        if at >= end:
            return 0, -op.TRUNCATED
        if shift > np.uint64(63):
            return 0, -op.BAD_NUMBER
        byte = np.uint64(_byte_at(at))
        at += 1
        value |= (byte & np.uint64(0x7F)) << shift
        shift += np.uint64(7)
    return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1)), at


@njit(cache=True, nogil=True, forceinline=True)
def _branch(at: int, end: int) -> tuple[Any, int]:
    """The branch of a union of two; almost always one byte."""
    if at >= end:
        return 0, -op.TRUNCATED
    byte = np.int64(_byte_at(at))
    if byte == 0:
        return 0, at + 1
    if byte == 2:
        return 1, at + 1
    branch, at = _number(at, end)
    if at >= 0 and (branch < 0 or branch > 1):
        return 0, -op.BAD_UNION
    return branch, at


@njit(cache=True, nogil=True, forceinline=True)
def _past_string(at: int, end: int) -> Any:
    length, at = _number(at, end)
    if at < 0:
        return at
    if length < 0:
        return -op.BAD_LENGTH
    if length > end - at:
        return -op.TRUNCATED
    return at + length


@njit(cache=True, nogil=True, forceinline=True)
def _value(code: int, start: int, at: int, end: int) -> tuple[Any, int]:
    """One value as 64 raw bits, and the address after it."""
    zero = np.uint64(0)
    if code == op.FLOAT:
        if end - at < 4:
            return zero, -op.TRUNCATED
        return np.uint64(_word_at(at)), at + 4
    if code == op.DOUBLE:
        if end - at < 8:
            return zero, -op.TRUNCATED
        return _long_at(at), at + 8
    if code in (op.INT, op.LONG):
        number, at = _number(at, end)
        if code == op.INT and at >= 0 and (number > 2147483647 or number < -2147483648):
            return zero, -op.BAD_NUMBER
        return np.uint64(number), at
    if code == op.BOOLEAN:
        if at >= end:
            return zero, -op.TRUNCATED
        byte = np.uint64(_byte_at(at))
        if byte > np.uint64(1):
            return zero, -op.BAD_BOOLEAN
        return byte, at + 1
    length, at = _number(at, end)
    if at < 0:
        return zero, at
    if length < 0:
        return zero, -op.BAD_LENGTH
    if length > end - at:
        return zero, -op.TRUNCATED
    if code == op.SHORT_STRING:
        bits = zero
        if length > 8:
            bits = TOO_LONG_FOR_SHORT
        else:
            for k in range(length):
                bits |= np.uint64(_byte_at(at + k)) << np.uint64(8 * k)
        return bits, at + length
    if length > MAX_STRING_BYTES:
        return zero, -op.TOO_LONG_STRING
    return (np.uint64(at - start) << np.uint64(24)) | np.uint64(length), at + length


@njit(cache=True, nogil=True, forceinline=True)
def _block_count(at: int, end: int, least: int) -> tuple[Any, int]:
    """Items of the next array block, 0 at the array's end."""
    count, at = _number(at, end)
    if at < 0:
        return 0, at
    if count < 0:  # followed by the block's size in bytes
        count = -count
        size, at = _number(at, end)
        if at < 0:
            return 0, at
        if count < 0 or size < 0:
            return 0, -op.BAD_COUNT
        if size > end - at:
            return 0, -op.TRUNCATED
    if count > (end - at) // least:
        # Either the count is a lie or the packet was cut off: as far as bytes go, the same.
        if count > 1 << 31:
            return 0, -op.BAD_COUNT
        return 0, -op.TRUNCATED
    return count, at


@njit(cache=True, nogil=True)
def _walk(  # noqa: PLR0915 - one dispatch loop: a call per instruction would cost too much
    start: int,
    end: int,
    ops: Any,
    jumps: Any,
    row: int,
    scalars: Any,
    scalars_valid: Any,
    lists: Any,
    lists_valid: Any,
    filled: Any,
    left: Any,
) -> int:
    """Read one packet into row ``row``; returns a fault or ``OK``."""
    at = start
    pc = 0
    depth = -1
    capacity = lists.shape[1]
    one = np.uint8(1)
    while True:
        code = ops[pc, 0]
        a = ops[pc, 1]
        b = ops[pc, 2]
        c = ops[pc, 3]
        pc += 1
        if code < op.SKIP_BYTES:
            if code > op.OPTIONAL:
                branch, at = _branch(at, end)
                if at < 0:
                    return -at
                if branch == b:
                    if c >= 0:
                        lists[a, filled[c]] = np.uint64(0)
                        lists_valid[a, filled[c]] = np.uint8(0)
                    continue
                code -= op.OPTIONAL
            bits, at = _value(code, start, at, end)
            if at < 0:
                return -at
            if c < 0:
                scalars[a, row] = bits
                scalars_valid[a, row] = one
            else:
                lists[a, filled[c]] = bits
                lists_valid[a, filled[c]] = one
        elif code == op.SKIP_OPTIONAL_BYTES:
            for _ in range(b):
                branch, at = _branch(at, end)
                if at < 0:
                    return -at
                if branch != c:
                    if end - at < a:
                        return op.TRUNCATED
                    at += a
        elif code == op.SKIP_OPTIONAL_NUMBERS or code == op.SKIP_OPTIONAL_STRINGS:  # noqa: PLR1714
            for _ in range(b):
                branch, at = _branch(at, end)
                if at < 0:
                    return -at
                if branch != c:
                    if code == op.SKIP_OPTIONAL_NUMBERS:
                        _, at = _number(at, end)
                    else:
                        at = _past_string(at, end)
                    if at < 0:
                        return -at
        elif code == op.SKIP_BYTES:
            if end - at < b:
                return op.TRUNCATED
            at += b
        elif code == op.SKIP_NUMBERS or code == op.SKIP_STRINGS:  # noqa: PLR1714
            for _ in range(b):
                if code == op.SKIP_NUMBERS:
                    _, at = _number(at, end)
                else:
                    at = _past_string(at, end)
                if at < 0:
                    return -at
        elif code == op.ARRAY_NEXT:
            if a >= 0:
                filled[a] += 1
            left[depth] -= 1
            if left[depth] == 0:
                left[depth], at = _block_count(at, end, c)
                if at < 0:
                    return -at
            if left[depth] == 0:
                depth -= 1
            else:
                pc = b
                if a >= 0 and filled[a] >= capacity:
                    return op.LISTS_FULL
        elif code == op.ARRAY_BEGIN:
            count, at = _block_count(at, end, c)
            if at < 0:
                return -at
            if count == 0:
                pc = b
                continue
            depth += 1
            if depth >= MAX_NESTING:
                return op.TOO_DEEP
            left[depth] = count
            if a >= 0 and filled[a] >= capacity:
                return op.LISTS_FULL
        elif code == op.NULL_OR_NEXT:
            branch, at = _branch(at, end)
            if at < 0:
                return -at
            if branch == b:
                pc = a
        elif code == op.PRESENT:
            scalars[a, row] = np.uint64(1)
            scalars_valid[a, row] = one
        elif code == op.UNION:
            branch, at = _number(at, end)
            if at < 0:
                return -at
            if branch < 0 or branch >= b:
                return op.BAD_UNION
            pc = jumps[a + branch]
        elif code == op.JUMP:
            pc = a
        elif code == op.ENUM:
            branch, at = _number(at, end)
            if at < 0:
                return -at
            if branch < 0 or branch >= b:
                return op.BAD_UNION
        else:
            return op.OK if at == end else op.TRAILING_BYTES


@njit(cache=True, nogil=True)
def walk_packets(
    first: int,
    starts: Any,
    ends: Any,
    ops: Any,
    jumps: Any,
    scalars: Any,
    scalars_valid: Any,
    lists: Any,
    lists_valid: Any,
    filled: Any,
    counts: Any,
    faults: Any,
) -> Any:
    """Read packets from ``first`` on; returns where it stopped because the lists are full.

    Parameters
    ----------
    first
        Index of the first packet to be read.
    starts, ends
        Shape (n,): addresses of each packet's first byte and of the byte after its last.
    ops, jumps
        The program.
    scalars, scalars_valid
        Shape (columns, n): raw 64-bit values and whether they are given; validity zeroed.
    lists, lists_valid
        Shape (columns, capacity): the same for list members.
    filled
        Shape (lists,): rows of each list that are filled so far; kept up to date.
    counts
        Shape (lists, n): items of each list in each packet, written.
    faults
        Shape (n,): what is wrong with each packet, written.
    """
    left = np.zeros(MAX_NESTING + 1, np.int64)
    before = np.zeros(filled.shape[0], np.int64)
    for row in range(first, starts.shape[0]):
        before[:] = filled
        fault = _walk(
            starts[row], ends[row], ops, jumps, row,
            scalars, scalars_valid, lists, lists_valid, filled, left,
        )  # fmt: skip
        for k in range(filled.shape[0]):
            counts[k, row] = filled[k] - before[k]
            if counts[k, row] > MAX_ITEMS:
                fault = op.TOO_MANY_ITEMS
        if fault != op.OK:
            filled[:] = before
            counts[:, row] = 0
            scalars_valid[:, row] = 0
        if fault == op.LISTS_FULL:
            return row
        faults[row] = fault
    return starts.shape[0]


@njit(cache=True, nogil=True)
def gather_strings(starts: Any, places: Any, valid: Any, offsets: Any, texts: Any) -> Any:
    """Copy the texts of one column together; returns how many bytes they have.

    Parameters
    ----------
    starts
        Shape (n,): addresses of the packets.
    places, valid
        Shape (n,): ``start << 24 | length`` of each text, and whether it is given.
    offsets
        Shape (n+1,), int32: written.
    texts
        Bytes, written as far as they go: call with too few to learn how many are needed.
    """
    total = np.int64(0)
    offsets[0] = 0
    for row in range(starts.shape[0]):
        if valid[row]:
            place = places[row]
            length = np.int64(place & np.uint64(0xFFFFFF))
            if total + length <= texts.shape[0]:
                at = starts[row] + np.int64(place >> np.uint64(24))
                for k in range(length):
                    texts[total + k] = _byte_at(at + k)
            total += length
        offsets[row + 1] = total
    return total
