"""Packets out of Parquet tables whose rows are decoded packets, as other brokers keep them.

ZTF rows become containers, as ZTF sends them, with a schema derived from the table's own
columns. LSST rows become Confluent messages in the official schema that has these columns.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any

import fastavro
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from shared.errors import RejectedRecordError
from shared.packets.containers import write_container
from shared.packets.lsst_schemas import official_schema_json, official_versions, schema_id_of

ROWS_AT_ONCE = 64
"""Rows decoded together: with cutouts a row is 100 KB, as Python objects more."""

_SCALARS: dict[pa.DataType, str] = {
    pa.float64(): "double",
    pa.float32(): "float",
    pa.int64(): "long",
    pa.int32(): "int",
    pa.int16(): "int",
    pa.int8(): "int",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.binary(): "bytes",
    pa.large_binary(): "bytes",
}


def packets_of_parquet(file: IO[bytes]) -> Iterator[bytes]:
    """The rows of a table as packets, framing included.

    Raises
    ------
    RejectedRecordError
        ``unknown_survey`` if the columns are neither ZTF's nor LSST's, ``unknown_schema`` if
        no official LSST schema has these columns, ``bad_row`` if a row does not fit.
    """
    table = pq.ParquetFile(file)
    columns = set(table.schema_arrow.names)
    if {"objectId", "candid", "candidate"} <= columns:
        yield from _ztf_packets(table)
    elif "diaSource" in columns:
        yield from _lsst_packets(table)
    else:
        shown = ", ".join(sorted(columns)[:8])
        raise RejectedRecordError("unknown_survey", f"the table's columns are {shown}...")


def _rows(table: pq.ParquetFile) -> Iterator[dict[str, Any]]:
    for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _encode(schema: Any, row: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    try:
        fastavro.schemaless_writer(out, schema, row)
    except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
        raise RejectedRecordError("bad_row", f"a row does not fit its schema: {error}") from error
    return out.getvalue()


def _ztf_packets(table: pq.ParquetFile) -> Iterator[bytes]:
    plain = {
        "type": "record",
        "name": "ztf.alert",
        "doc": "derived from the columns of a Parquet table",
        "fields": _avro_fields(table.schema_arrow, "ztf.alert"),
    }
    schema_json: dict[str, bytes] = {}
    parsed = fastavro.parse_schema(plain)
    for row in _rows(table):
        version = str(row.get("schemavsn") or "")
        if version not in schema_json:
            schema_json[version] = orjson.dumps({**plain, "version": version})
        yield write_container(schema_json[version], _encode(parsed, row))


def _avro_fields(fields: Any, path: str) -> list[dict[str, Any]]:
    return [
        {"name": field.name, "type": ["null", _avro_type(field.type, f"{path}.{field.name}")]}
        for field in fields
    ]


def _avro_type(type_: pa.DataType, path: str) -> Any:
    if pa.types.is_struct(type_):
        return {"type": "record", "name": path, "fields": _avro_fields(type_, path)}
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return {"type": "array", "items": _avro_type(type_.value_type, path)}
    if type_ not in _SCALARS:
        raise RejectedRecordError("unknown_schema", f"{path} is of type {type_}")
    return _SCALARS[type_]


def _lsst_packets(table: pq.ParquetFile) -> Iterator[bytes]:
    major, minor = _version_with(table.schema_arrow)
    parsed = fastavro.parse_schema(orjson.loads(official_schema_json(major, minor)))
    framing = b"\x00" + schema_id_of(major, minor).to_bytes(4, "big")
    for row in _rows(table):
        yield framing + _encode(parsed, row)


def _version_with(columns: pa.Schema) -> tuple[int, int]:
    """The oldest official version that has every column of the table."""
    wanted = _names(columns, "")
    for major, minor in official_versions():
        schema = orjson.loads(official_schema_json(major, minor))
        if wanted <= _avro_names(schema, "", _named_records(schema)):
            return major, minor
    known = "is not installed" if not official_versions() else "has no schema with these columns"
    raise RejectedRecordError("unknown_schema", f"the package lsst-alert-packet {known}")


def _names(fields: Any, path: str) -> set[str]:
    names: set[str] = set()
    for field in fields:
        inner = f"{path}.{field.name}"
        names.add(inner)
        type_ = field.type.value_type if pa.types.is_list(field.type) else field.type
        if pa.types.is_struct(type_):
            names |= _names(type_, inner)
    return names


def _named_records(schema: Any, namespace: str = "") -> dict[str, dict[str, Any]]:
    """Every record of a schema by its full name."""
    found: dict[str, dict[str, Any]] = {}
    if isinstance(schema, list):
        for branch in schema:
            found |= _named_records(branch, namespace)
    elif isinstance(schema, dict) and schema.get("type") == "record":
        namespace = schema.get("namespace", namespace)
        name = schema["name"]
        found[name if "." in name else f"{namespace}.{name}"] = schema
        for field in schema["fields"]:
            found |= _named_records(field["type"], namespace)
    elif isinstance(schema, dict):
        found |= _named_records(schema.get("items"), namespace)
    return found


def _avro_names(schema: Any, path: str, records: dict[str, dict[str, Any]]) -> set[str]:
    if isinstance(schema, str) and schema in records:
        schema = records[schema]
    if isinstance(schema, list):
        return set().union(*(_avro_names(branch, path, records) for branch in schema))
    if isinstance(schema, dict) and "items" in schema:
        return _avro_names(schema["items"], path, records)
    names: set[str] = set()
    if isinstance(schema, dict) and schema.get("type") == "record":
        for field in schema["fields"]:
            inner = f"{path}.{field['name']}"
            names |= {inner} | _avro_names(field["type"], inner, records)
    return names
