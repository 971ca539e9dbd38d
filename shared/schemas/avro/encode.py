"""Alerts as Avro messages in Confluent framing, encoded column by column.

Avro's binary form of an array of doubles is a count, the doubles, and a zero byte: the memory
of an Arrow list. So a light curve is copied, not converted, and no Python object is made of
its points. Property tests read everything back with plain fastavro.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Sequence

import numpy as np
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
    chunks = _values(array, field.name)
    if not array.null_count:
        return [_SECOND + chunk for chunk in chunks]
    valid = array.is_valid().to_pylist()
    return [_SECOND + c if ok else _NULL for ok, c in zip(valid, chunks, strict=True)]


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
    return _PRIMITIVE_CHUNKS[primitive](array)


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
            _varint(b - a) + content[a * width : b * width] + _END if b > a else _END
            for a, b in spans
        ]
    chunks = _values(items)
    return [_varint(b - a) + b"".join(chunks[a:b]) + _END if b > a else _END for a, b in spans]


def _packed(items: pa.Array) -> tuple[int, bytes] | None:
    """Items whose Avro form has one width: bytes per item, and all of them in a row."""
    if types.is_floating(items.type):
        width = items.type.bit_width // 8
        return width, items.to_numpy().astype(f"<f{width}", copy=False).tobytes()
    if types.is_int8(items.type):
        values = items.to_numpy().astype(np.int16)
        if not len(values) or (values.min() >= -64 and values.max() < 64):  # one varint byte
            return 1, ((values << 1) ^ (values >> 15)).astype(np.uint8).tobytes()
    return None


def _maps(array: pa.Array, branches: Sequence[str]) -> Chunks:
    """An open struct as a map from its members' names to a union of scalars."""
    if not array.type.num_fields:
        return [_END] * len(array)
    members = [
        _map_entries(array.field(i), array.type.field(i), branches)
        for i in range(array.type.num_fields)
    ]
    head = _varint(len(members))
    return [head + b"".join(row) + _END for row in zip(*members, strict=True)]


def _map_entries(array: pa.Array, field: pa.Field, branches: Sequence[str]) -> Chunks:
    name = field.name.encode()
    key = _varint(len(name)) + name
    null = key + _NULL
    if array.null_count == len(array):
        return [null] * len(array)
    branch = _branch(field, branches)
    wide = array.cast({"double": pa.float64(), "long": pa.int64()}.get(branch, array.type))
    head = key + _varint(branches.index(branch))
    chunks = _PRIMITIVE_CHUNKS[branch](wide)
    if not array.null_count:
        return [head + chunk for chunk in chunks]
    valid = array.is_valid().to_pylist()
    return [head + c if ok else null for ok, c in zip(valid, chunks, strict=True)]


def _branch(field: pa.Field, branches: Sequence[str]) -> str:
    """The branch of the union that holds a member's values."""
    name = primitive_name(field.type) or str(field.type)
    branch = name if name in branches else {"float": "double", "int": "long"}.get(name, name)
    if branch not in branches:
        raise TypeError(f"{field.name}: {field.type} is none of {', '.join(branches)}")
    return branch


def _varint(value: int) -> bytes:
    """Avro's int and long: zigzag, then seven bits per byte, lowest first."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _floating(array: pa.Array) -> Chunks:
    width = array.type.bit_width // 8
    filled = pc.fill_null(array, 0.0) if array.null_count else array
    content = filled.to_numpy().astype(f"<f{width}", copy=False).tobytes()
    return [content[i : i + width] for i in range(0, len(content), width)]


def _integers(array: pa.Array) -> Chunks:
    values = [value or 0 for value in array.to_pylist()]
    return [_SMALL[value] if 0 <= value < _SMALL_END else _varint(value) for value in values]


def _booleans(array: pa.Array) -> Chunks:
    return [b"\x01" if value else b"\x00" for value in array.to_pylist()]


def _strings(array: pa.Array) -> Chunks:
    encoded = [(value or "").encode() for value in array.to_pylist()]
    return [_varint(len(value)) + value for value in encoded]


_SMALL_END = 1024
_SMALL = [_varint(value) for value in range(_SMALL_END)]
"""Most integers in alerts are counts, codes and flags."""

_PRIMITIVE_CHUNKS: dict[str, Callable[[pa.Array], Chunks]] = {
    "double": _floating,
    "float": _floating,
    "long": _integers,
    "int": _integers,
    "boolean": _booleans,
    "string": _strings,
}
