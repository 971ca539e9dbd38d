"""Packets of one writer's schema to columns: runs the kernel, grows its arrays, checks texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.ingest.avro import instructions as op
from services.ingest.avro.columns import Decoded, Ragged
from services.ingest.avro.kernel import MAX_ITEMS, gather_strings, walk_packets
from services.ingest.avro.program import Program, TooMuchAtOnceError

MAX_ROWS_AT_ONCE = 1_000_000
"""Most list members of all packets of one call; a take of real ones has some tens of thousands."""
_FIRST_ROWS_PER_PACKET = 64


def decode(
    program: Program,
    payloads: Sequence[bytes],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Decoded:
    """Decode one record of each payload, in place.

    Parameters
    ----------
    program
        The compiled schema that all of them were written with.
    payloads
        The packets. Only read while this call lasts; never copied.
    starts, ends
        Shape (n,): where in its payload each record begins and must end.

    Returns
    -------
    The packets without fault as columns, and the fault of each of the others.

    Raises
    ------
    TooMuchAtOnceError
        If several packets have more than ``MAX_ROWS_AT_ONCE`` list members together: a short
        packet may hold many, one byte each.
    """
    n = len(payloads)
    addresses = np.fromiter((pa.py_buffer(p).address for p in payloads), np.int64, n)
    first, last = addresses + starts, addresses + ends
    raw = np.zeros((program.scalar_rows, n), np.uint64)
    valid = np.zeros((program.scalar_rows, n), np.uint8)
    faults = np.zeros(n, np.int64)
    counts = np.zeros((len(program.list_order), n), np.int64)
    lists, lists_valid = _walk_all(program, first, last, raw, valid, counts, faults)
    texts = _texts(program, first, raw, valid, faults)
    rows = np.flatnonzero(faults == op.OK)
    ragged = {}
    for index, name in enumerate(program.list_order):
        offsets = np.zeros(n + 1, np.int64)
        np.cumsum(counts[index], out=offsets[1:])
        one = Ragged(offsets, lists, lists_valid, program.lists[name])
        ragged[name] = _cut(one, rows) if len(rows) < n else _trim(one)
    if len(rows) < n:
        raw, valid = raw[:, rows], valid[:, rows]
        texts = {path: text.take(pa.array(rows)) for path, text in texts.items()}
    return Decoded(rows, faults, raw, valid, program.scalars, texts, ragged)


def _walk_all(
    program: Program,
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    raw: npt.NDArray[np.uint64],
    valid: npt.NDArray[np.uint8],
    counts: npt.NDArray[np.int64],
    faults: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    """Run the kernel over all packets, doubling the lists' arrays when they are full."""
    capacity = _FIRST_ROWS_PER_PACKET * len(first) + 64
    lists = np.empty((program.list_rows, capacity), np.uint64)
    lists_valid = np.empty((program.list_rows, capacity), np.uint8)
    filled = np.zeros(len(program.list_order), np.int64)
    at = 0
    while True:
        at = walk_packets(
            at, first, last, program.ops, program.jumps,
            raw, valid, lists, lists_valid, filled, counts, faults,
        )  # fmt: skip
        if at == len(first):
            return lists, lists_valid
        used = int(filled.max())
        if capacity - used > MAX_ITEMS:
            faults[at] = op.TOO_MANY_ITEMS
            at += 1
            continue
        if capacity > MAX_ROWS_AT_ONCE and len(first) > 1:
            raise TooMuchAtOnceError
        capacity = 2 * capacity
        lists, lists_valid = _grown(lists, capacity, used), _grown(lists_valid, capacity, used)


def _grown(array: Any, capacity: int, used: int) -> Any:
    larger = np.empty((array.shape[0], capacity), array.dtype)
    larger[:, :used] = array[:, :used]
    return larger


def _trim(ragged: Ragged) -> Ragged:
    used = len(ragged)
    return Ragged(ragged.offsets, ragged.raw[:, :used], ragged.valid[:, :used], ragged.columns)


def _cut(ragged: Ragged, rows: npt.NDArray[np.int64]) -> Ragged:
    """The list of some packets only."""
    kept = np.zeros(len(ragged.offsets) - 1, np.bool_)
    kept[rows] = True
    members = kept[ragged.packet]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.diff(ragged.offsets)[rows], out=offsets[1:])
    raw = ragged.raw[:, : len(ragged)][:, members]
    return Ragged(offsets, raw, ragged.valid[:, : len(ragged)][:, members], ragged.columns)


def _texts(
    program: Program,
    first: npt.NDArray[np.int64],
    raw: npt.NDArray[np.uint64],
    valid: npt.NDArray[np.uint8],
    faults: npt.NDArray[np.int64],
) -> dict[str, pa.Array]:
    """Every text column as an Arrow array; packets with texts that are not UTF-8 get a fault."""
    n = len(first)
    texts = {}
    scratch = np.empty(64 * n + 64, np.uint8)
    for path, column in program.scalars.items():
        if column.kind != op.KIND_STRING:
            continue
        given, places = valid[column.row], raw[column.row]
        offsets = np.empty(n + 1, np.int32)
        size = gather_strings(first, places, given, offsets, scratch)
        if size > len(scratch):
            scratch = np.empty(size, np.uint8)
            gather_strings(first, places, given, offsets, scratch)
        text = _string_array(offsets, scratch[:size].tobytes(), given)
        try:
            text.validate(full=True)
        except pa.ArrowInvalid:
            for row in np.flatnonzero(given):
                if not _is_utf8(text.slice(int(row), 1)):
                    faults[row] = op.BAD_STRING
                    given[row] = 0
            gather_strings(first, places, given, offsets, scratch)
            text = _string_array(offsets, scratch[: int(offsets[-1])].tobytes(), given)
        texts[path] = text
    return texts


def _string_array(
    offsets: npt.NDArray[np.int32], texts: bytes, given: npt.NDArray[np.uint8]
) -> pa.Array:
    bitmap = pa.py_buffer(np.packbits(given, bitorder="little"))
    buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.string(), len(given), buffers)


def _is_utf8(text: pa.Array) -> bool:
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
