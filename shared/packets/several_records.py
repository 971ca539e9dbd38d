"""Containers of several records, cut into containers of one; no record is made an object.

Files come from anywhere: a schema whose arrays hold items of no bytes lets a few bytes stand for
billions of items. Here a record is only walked over, and no array may have more items than there
are bytes left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fastavro
import orjson
from fastavro.schema import SchemaParseException

from shared.errors import RejectedRecordError
from shared.packets.containers import (
    iter_blocks,
    read_header,
    read_varint,
    unpack,
    write_container,
)

_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_DEEPEST = 40
"""Levels of types within types; LSST's packets have six."""


def split_container(payload: bytes) -> Iterator[bytes]:
    """Containers of one record each, their records byte for byte as they were.

    A container that holds one record, or that is broken, is given back as it is: whoever
    decodes it says what is wrong with it. So is, at last, one that breaks within its records.
    """
    try:
        header = read_header(payload)
        blocks = list(iter_blocks(payload, header))
        if sum(count for count, _, _ in blocks) <= 1:
            yield payload
            return
        end_of = record_walker(header.schema_json)
        for count, start, end in blocks:
            records = unpack(payload[start:end], header.codec)
            first = 0
            for _ in range(count):
                last = end_of(records, first)
                if last == first:
                    raise RejectedRecordError("bad_avro", "records of no bytes")
                yield write_container(header.schema_json, records[first:last])
                first = last
    except RejectedRecordError:
        yield payload


def record_walker(schema_json: bytes) -> Callable[[bytes, int], int]:
    """A function of bytes and a record's start that tells the record's end.

    It raises ``RejectedRecordError`` if the bytes are no such record.

    Raises
    ------
    RejectedRecordError
        ``bad_schema``, if the schema is none.
    """
    names: dict[str, Any] = {}
    try:
        schema = fastavro.parse_schema(orjson.loads(schema_json), named_schemas=names)
    except (SchemaParseException, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RejectedRecordError("bad_schema", f"no Avro schema: {error!r:.200}") from error
    except RecursionError as error:
        raise RejectedRecordError("bad_schema", "the schema is nested too deep") from error
    return lambda records, start: _past(schema, names, records, start, 0)


def _past(schema: Any, names: Mapping[str, Any], records: bytes, at: int, depth: int) -> int:
    if depth > _DEEPEST:
        raise RejectedRecordError("bad_schema", f"types nested more than {_DEEPEST} deep")
    if isinstance(schema, list):
        branch, at = read_varint(records, at)
        if not 0 <= branch < len(schema):
            raise RejectedRecordError("bad_avro", f"branch {branch} of {len(schema)} at {at}")
        return _past(schema[branch], names, records, at, depth + 1)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "record":
        for field in schema["fields"]:
            at = _past(field["type"], names, records, at, depth + 1)
        return at
    if kind in ("array", "map"):
        return _past_items(schema, names, records, at, depth)
    if kind in ("int", "long", "enum"):
        return read_varint(records, at)[1]
    if kind in ("string", "bytes"):
        size, at = read_varint(records, at)
    elif kind in _SIZES:
        size = _SIZES[kind]
    elif kind == "fixed":
        size = int(schema["size"])
    else:
        return _past(names[kind] if isinstance(kind, str) else kind, names, records, at, depth + 1)
    if size < 0 or size > len(records) - at:
        raise RejectedRecordError("truncated", f"{size} bytes are wanted at {at}")
    return at + size


def _past_items(schema: Any, names: Mapping[str, Any], records: bytes, at: int, depth: int) -> int:
    is_map = schema["type"] == "map"
    items = schema["values" if is_map else "items"]
    while True:
        count, at = read_varint(records, at)
        if count == 0:
            return at
        if count < 0:  # followed by the block's size in bytes
            count = -count
            _, at = read_varint(records, at)
        if count > len(records) - at:
            raise RejectedRecordError("truncated", f"{count} items are wanted at {at}")
        for _ in range(count):
            if is_map:
                at = _past("string", names, records, at, depth + 1)
            at = _past(items, names, records, at, depth + 1)
