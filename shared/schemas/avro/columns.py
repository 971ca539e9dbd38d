"""Any columns as Avro: the schema of what a filter selects, and its messages.

Published columns look as in the alert itself. Computed ones may be null at every level, items of
lists included, since an expression promises nothing.
"""

from __future__ import annotations

import itertools
import json
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import types

from shared.schemas.avro.encode import encoded_column, primitive_chunks, varint
from shared.schemas.avro.schema import NAMESPACE, avro_field, primitive_name

Column = tuple[str, pa.Field, bool]
"""Name in the message, Arrow field, and whether it is a published column as it is."""
_NULL, _SECOND, _END = b"\x00", b"\x02", b"\x00"


def columns_schema(name: str, columns: Sequence[Column], doc: str = "") -> str:
    """The Avro schema of a filter's messages, as canonical text: the same for the same columns."""
    taken: set[str] = set()
    fields = [_declared(column, taken) for column in columns]
    record = {
        "type": "record",
        "name": _title(name),
        "namespace": f"{NAMESPACE}.out",
        "doc": doc,
        "fields": fields,
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _declared(column: Column, taken: set[str]) -> dict[str, Any]:
    name, field, is_published = column
    if is_published:
        return {**_renamed(avro_field(field), name, taken), "name": name}
    words = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
    declared: dict[str, Any] = {"name": name, "type": _loose_type(name, field.type, taken)}
    if "meaning" in words:
        declared["doc"] = words["meaning"]
    return {**declared, "default": None}


def _renamed(declared: Any, path: str, taken: set[str]) -> Any:
    """The same with every record's name unique in the schema."""
    if isinstance(declared, list):
        return [_renamed(each, path, taken) for each in declared]
    if not isinstance(declared, dict):
        return declared
    changed = {key: _renamed(value, path, taken) for key, value in declared.items()}
    if declared.get("type") == "record":
        changed["name"] = _unique(declared["name"], taken)
    return changed


def _loose_type(path: str, type_: pa.DataType, taken: set[str]) -> list[Any]:
    if types.is_list(type_):
        items = _loose_type(f"{path}_item", type_.value_type, taken)
        return ["null", {"type": "array", "items": items}]
    if types.is_struct(type_):
        record = _unique(_title(path), taken)
        members = [
            {"name": member.name, "type": _loose_type(f"{path}_{member.name}", member.type, taken)}
            | {"default": None}
            for member in (type_.field(i) for i in range(type_.num_fields))
        ]
        return ["null", {"type": "record", "name": record, "fields": members}]
    primitive = primitive_name(type_)
    if primitive is None:
        raise TypeError(f"column {path!r}: no Avro type for Arrow {type_}")
    return ["null", primitive]


def _title(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"_+", name)) or "Alert"


def _unique(name: str, taken: set[str]) -> str:
    found = next(c for c in itertools.chain([name], _numbered(name)) if c not in taken)
    taken.add(found)
    return found


def _numbered(name: str) -> Iterator[str]:
    return (f"{name}{number}" for number in itertools.count(2))


def confluent_header(schema_id: int) -> bytes:
    """Byte 0, then the schema id as big-endian int32."""
    return struct.pack(">bi", 0, schema_id)


def encode_chunks(
    batch: pa.RecordBatch, name: str, field: pa.Field, *, is_published: bool
) -> list[bytes]:
    """The Avro bytes of each row of one column of ``batch``.

    Raises
    ------
    ValueError
        If a published column that may not be null holds null.
    """
    return encoded_column(batch, field) if is_published else _loose(batch.column(name))


def _loose(array: pa.Array) -> list[bytes]:
    """Chunks with a union at every level."""
    if array.null_count == len(array):
        return [_NULL] * len(array)
    valid = array.is_valid().to_pylist() if array.null_count else None
    if types.is_list(array.type):
        chunks = _loose_lists(array)
    elif types.is_struct(array.type):
        members = [_loose(array.field(i)) for i in range(array.type.num_fields)]
        chunks = [_SECOND + b"".join(row) for row in zip(*members, strict=True)]
    else:
        chunks = primitive_chunks(array, _SECOND)
    if valid is None:
        return chunks
    return [chunk if ok else _NULL for ok, chunk in zip(valid, chunks, strict=True)]


def _loose_lists(array: pa.ListArray) -> list[bytes]:
    offsets = array.offsets.to_pylist()
    first, last = offsets[0], offsets[-1]
    items = _loose(array.values.slice(first, last - first))
    return [
        _SECOND + varint(b - a) + b"".join(items[a - first : b - first]) + _END
        if b > a
        else _SECOND + _END
        for a, b in itertools.pairwise(offsets)
    ]
