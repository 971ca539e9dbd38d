"""Alerts as Avro messages in Confluent framing, encoded column by column.

Avro's binary form of an array of doubles is a count, the doubles, and a zero byte: the memory
of an Arrow list. So a light curve is copied, not converted, and no Python object is made of
its points. Property tests read everything back with plain fastavro.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from shared.schemas.avro.schema import SCHEMA_ID, primitive_name
from shared.schemas.published import OPEN_STRUCTS, PUBLISHED

CONFLUENT_HEADER = struct.pack(">bi", 0, SCHEMA_ID)
"""Byte 0, then the schema id as big-endian int32 (Confluent wire format)."""

_NULL, _SECOND = b"\x00", b"\x02"
"""Branches 0 and 1 of the union ``["null", T]``."""
_END = b"\x00"
"""Ends the blocks of an array or a map."""

Chunks = list[bytes]
"""The Avro bytes of each row of a column."""


def encode_alerts(batch: pa.RecordBatch, columns: Sequence[pa.Field] = PUBLISHED) -> list[bytes]:
    """Each row as one Confluent-framed Avro message.

    Parameters
    ----------
    batch
        Alerts, with at least the columns that are not nullable; others may be absent and are
        written as null. Columns that are not published are left out.
    columns
        The published columns, in order.

    Raises
    ------
    ValueError
        If a column that may not be null is absent or holds null.
    """
    parts = [_column(batch, field) for field in columns]
    join = b"".join
    return [CONFLUENT_HEADER + join(row) for row in zip(*parts, strict=True)]


def _column(batch: pa.RecordBatch, field: pa.Field) -> Chunks:
    rows = batch.num_rows
    index = batch.schema.get_field_index(field.name)
    if index < 0:
        if not field.nullable:
            raise ValueError(f"column {field.name!r} is absent and may not be null")
        return [_NULL] * rows
    array = batch.column(index)
    if field.name not in OPEN_STRUCTS and array.type != field.type:
        array = array.cast(field.type)
    return _field(array, field)


def _field(array: pa.Array, field: pa.Field) -> Chunks:
    """Chunks of a declared column: with the union's branch if it is nullable."""
    if not field.nullable:
        if array.null_count:
            raise ValueError(f"column {field.name!r} holds null and may not")
        return _values(array, field.name)
    if array.null_count == len(array):
        return [_NULL] * len(array)
    primitive = primitive_name(array.type)
    if primitive is not None:
        return _with_nulls(_primitives(array, primitive, _SECOND), array, _NULL)
    chunks = [_SECOND + chunk for chunk in _values(array, field.name)]
    return _with_nulls(chunks, array, _NULL)


def _with_nulls(chunks: Chunks, array: pa.Array, null: bytes) -> Chunks:
    """``chunks``, and ``null`` where ``array`` is null."""
    if not array.null_count:
        return chunks
    valid = array.is_valid().to_pylist()
    return [chunk if ok else null for ok, chunk in zip(valid, chunks, strict=True)]


encoded_column = _column
"""Chunks of one published column, for messages of some columns only."""


def primitive_chunks(array: pa.Array, head: bytes) -> Chunks:
    """Chunks of primitives after ``head``; what stands for a null is not defined."""
    primitive = primitive_name(array.type)
    if primitive is None:
        raise TypeError(f"no Avro form of Arrow {array.type}")
    return _primitives(array, primitive, head)


def _values(array: pa.Array, name: str = "") -> Chunks:
    """Chunks of values without a union; what stands for a null row is not defined."""
    if types.is_list(array.type):
        return _lists(array)
    if name in OPEN_STRUCTS:
        return _maps(array, OPEN_STRUCTS[name])
    if types.is_struct(array.type):
        members = [
            _field(array.field(i), array.type.field(i)) for i in range(array.type.num_fields)
        ]
        return [b"".join(row) for row in zip(*members, strict=True)]
    primitive = primitive_name(array.type)
    if primitive is None:
        raise TypeError(f"no Avro form of Arrow {array.type}")
    return _primitives(array, primitive)


def _lists(array: pa.Array) -> Chunks:
    offsets = array.offsets.to_pylist()
    first, last = offsets[0], offsets[-1]
    items = array.values.slice(first, last - first)
    if items.null_count:
        raise ValueError("a list of ours holds no null")
    spans = [(a - first, b - first) for a, b in itertools.pairwise(offsets)]
    packed = _packed(items)
    if packed is not None:
        width, content = packed
        return [
            varint(b - a) + content[a * width : b * width] + _END if b > a else _END
            for a, b in spans
        ]
    chunks = _values(items)
    return [varint(b - a) + b"".join(chunks[a:b]) + _END if b > a else _END for a, b in spans]


def _packed(items: pa.Array) -> tuple[int, bytes] | None:
    """Items whose Avro form has one width: bytes per item, and all of them in a row."""
    primitive = primitive_name(items.type)
    if primitive is None or primitive == "string":
        return None
    if not len(items):
        return 1, b""
    fixed = _fixed_width(items, primitive)
    return None if fixed is None else (fixed.shape[1], fixed.tobytes())


def _maps(array: pa.Array, branches: Sequence[str]) -> Chunks:
    """An open struct as a map from its members' names to a union of scalars."""
    if not array.type.num_fields:
        return [_END] * len(array)
    members = [
        _map_entries(array.field(i), array.type.field(i), branches)
        for i in range(array.type.num_fields)
    ]
    head = varint(len(members))
    return [head + b"".join(row) + _END for row in zip(*members, strict=True)]


def _map_entries(array: pa.Array, field: pa.Field, branches: Sequence[str]) -> Chunks:
    name = field.name.encode()
    key = varint(len(name)) + name
    null = key + _NULL
    if array.null_count == len(array):
        return [null] * len(array)
    branch = _branch(field, branches)
    chunks = _primitives(array, branch, key + varint(branches.index(branch)))
    return _with_nulls(chunks, array, null)


def _branch(field: pa.Field, branches: Sequence[str]) -> str:
    """The branch of the union that holds a member's values."""
    name = primitive_name(field.type) or str(field.type)
    branch = name if name in branches else {"float": "double", "int": "long"}.get(name, name)
    if branch not in branches:
        raise TypeError(f"{field.name}: {field.type} is none of {', '.join(branches)}")
    return branch


def varint(value: int) -> bytes:
    """Avro's int and long: zigzag, then seven bits per byte, lowest first."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _primitives(array: pa.Array, avro_type: str, head: bytes = b"") -> Chunks:
    """Chunks of primitives, each after ``head``; what stands for a null is not defined."""
    fixed = _fixed_width(array, avro_type)
    if fixed is not None:
        rows, width = fixed.shape
        whole = np.empty((rows, len(head) + width), np.uint8)
        whole[:, : len(head)] = np.frombuffer(head, np.uint8)
        whole[:, len(head) :] = fixed
        chunks: Chunks = whole.view(f"V{len(head) + width}").ravel().tolist()
        return chunks
    if avro_type == "string":
        encoded = [(value or "").encode() for value in array.to_pylist()]
        return [head + varint(len(value)) + value for value in encoded]
    if len(array) < _FEW:
        return [head + varint(value or 0) for value in array.to_pylist()]
    return _varints(_filled(array).astype(np.int64), head)


_FLOATS = {"float": "<f4", "double": "<f8"}
_FEW = 16
"""Fewer integers than this are encoded one by one: NumPy costs its price per call."""


def _varints(values: npt.NDArray[np.int64], head: bytes) -> Chunks:
    """``varint`` of each value after ``head``, all at once."""
    rest = ((values << 1) ^ (values >> 63)).view(np.uint64)
    shifted = rest[:, None] >> np.arange(0, 70, 7, dtype=np.uint64)
    shifted[:, 9] = rest >> np.uint64(63)
    lengths = np.maximum(1, np.count_nonzero(shifted, axis=1))
    groups = (shifted & np.uint64(0x7F)).astype(np.uint8)
    groups[np.arange(10) < (lengths - 1)[:, None]] |= 0x80
    first = np.broadcast_to(np.frombuffer(head, np.uint8), (len(values), len(head)))
    width = len(head) + 10
    content = np.concatenate([first, groups], axis=1).tobytes()
    ends = np.arange(0, width * len(values), width) + len(head) + lengths
    return [
        content[start:end]
        for start, end in zip(range(0, len(content), width), ends.tolist(), strict=True)
    ]


def _filled(array: pa.Array) -> npt.NDArray[Any]:
    """Integers or booleans as NumPy, zero where null."""
    filled = pc.fill_null(array, pa.scalar(0).cast(array.type)) if array.null_count else array
    values: npt.NDArray[Any] = filled.to_numpy(zero_copy_only=False)
    return values


def _fixed_width(array: pa.Array, avro_type: str) -> npt.NDArray[np.uint8] | None:
    """Avro bytes of values that are all as long, shape (n, bytes); None if they are not."""
    if avro_type == "string" or not len(array):
        return None
    if avro_type in _FLOATS:
        # A null becomes NaN here, and is written as null by whoever called.
        given: npt.NDArray[Any] = array.to_numpy(zero_copy_only=False)
        floats = given.astype(_FLOATS[avro_type])
        return floats.view(np.uint8).reshape(-1, floats.itemsize)
    values = _filled(array)
    if avro_type == "boolean":
        return values.astype(np.uint8)[:, None]
    if values.min() >= -64 and values.max() < 64:  # one byte of a varint, zigzag
        wide = values.astype(np.int16)
        return ((wide << 1) ^ (wide >> 15)).astype(np.uint8)[:, None]
    return None
