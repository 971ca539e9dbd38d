"""What tables and columns there are: TAP_SCHEMA, and the same as VOSI tables."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import duckdb
import pyarrow as pa

from shared.archive.query import archive_connection
from shared.archive.readers import ANYBODY
from shared.archive.relations import RELATIONS
from shared.errors import RejectedRecordError
from shared.filters.derived import DERIVED
from shared.filters.guard import Limits, judge_query, locked_connection
from shared.schemas.published import PUBLISHED

_LIMITS = Limits(memory_mib=128, seconds=10.0)
_SCHEMA_TABLE = re.compile(r"\bTAP_SCHEMA\s*\.\s*(\w+)", re.IGNORECASE)
_PREFIX = "tap_schema_"
_VO_TYPES = {
    "VARCHAR": ("char", "*"), "BIGINT": ("long", ""), "INTEGER": ("int", ""),
    "SMALLINT": ("short", ""), "TINYINT": ("short", ""), "DOUBLE": ("double", ""),
    "FLOAT": ("float", ""), "BOOLEAN": ("boolean", ""), "HUGEINT": ("long", ""),
}  # fmt: skip
_UCDS = {
    "ra_deg": "pos.eq.ra;meta.main", "dec_deg": "pos.eq.dec;meta.main", "mjd_tai": "time.epoch",
    "object_id": "meta.id;meta.main", "alert_id": "meta.id", "flux_njy": "phot.flux.density",
    "flux_err_njy": "stat.error;phot.flux.density",
}  # fmt: skip


@lru_cache(maxsize=1)
def described() -> dict[str, pa.Table]:
    """The tables of TAP_SCHEMA by name (TAP 1.1, section 4)."""
    columns = [
        {"table_name": relation.name, **column}
        for relation in RELATIONS
        for column in _columns_of(relation.name)
    ]
    tables = [
        {"schema_name": "archive", "table_name": r.name, "table_type": "view", "utype": None,
         "description": r.meaning, "table_index": place}
        for place, r in enumerate(RELATIONS)
    ]  # fmt: skip
    schemas = [
        {"schema_name": "archive", "utype": None, "description": "Alerts, packed by night",
         "schema_index": 0}
    ]  # fmt: skip
    no_text, no_number = pa.string(), pa.int32()
    return {
        "schemas": pa.Table.from_pylist(schemas),
        "tables": pa.Table.from_pylist(tables),
        "columns": pa.Table.from_pylist(columns),
        "keys": pa.schema(
            [("key_id", no_text), ("from_table", no_text), ("target_table", no_text),
             ("description", no_text), ("utype", no_text)]
        ).empty_table(),
        "key_columns": pa.schema(
            [("key_id", no_text), ("from_column", no_text), ("target_column", no_text),
             ("key_index", no_number)]
        ).empty_table(),
    }  # fmt: skip


def _columns_of(relation: str) -> list[dict[str, Any]]:
    told = {field.name: field.metadata or {} for field in PUBLISHED}
    meanings = {name: meaning for name, _, meaning in DERIVED}
    with archive_connection([], ANYBODY, _LIMITS) as connection:
        rows = connection.execute(f"DESCRIBE {relation}").fetchall()
    columns = []
    for place, (name, type_, *_) in enumerate(rows):
        datatype, size = _VO_TYPES.get(str(type_), ("char", "*"))
        metadata = told.get(name, {})
        meaning = metadata.get(b"meaning", b"").decode() or meanings.get(name)
        columns.append({
            "column_name": name, "datatype": datatype, "arraysize": size or None, "xtype": None,
            "size": None, "description": meaning,
            "utype": None, "unit": metadata.get(b"unit", b"").decode() or None,
            "ucd": _UCDS.get(name), "indexed": 0, "principal": int(name in _UCDS), "std": 0,
            "column_index": place,
        })  # fmt: skip
    return columns


def is_about_schema(sql: str) -> bool:
    """Whether a query reads TAP_SCHEMA."""
    return _SCHEMA_TABLE.search(sql) is not None


def answer_about_schema(sql: str) -> pa.Table:
    """Answer a query on TAP_SCHEMA.

    Raises
    ------
    FilterRefusedError
        If the query is not allowed.
    RejectedRecordError
        If it fails.
    """
    tables = described()
    names = [_PREFIX + name for name in tables]
    judged = judge_query(_SCHEMA_TABLE.sub(lambda m: _PREFIX + m[1].lower(), sql), names)
    connection = locked_connection(_LIMITS)
    try:
        for name, table in tables.items():
            connection.register(_PREFIX + name, table)
        return connection.sql(f"SELECT * FROM ({judged.sql}\n) LIMIT 10000").to_arrow_table()  # noqa: S608  # judged
    except duckdb.Error as error:
        raise RejectedRecordError("bad_query", str(error).splitlines()[0]) from error
    finally:
        connection.close()


def vosi_tables() -> str:
    """The same as a VODataService table set (VOSI 1.1)."""
    rows = described()["columns"].to_pylist()
    parts = []
    for relation in RELATIONS:
        columns = "".join(_vosi_column(row) for row in rows if row["table_name"] == relation.name)
        parts.append(
            f'<table type="view"><name>{relation.name}</name>'
            f"<description>{escape(relation.meaning)}</description>{columns}</table>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<vosi:tableset xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" '
        'xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<schema><name>archive</name>{''.join(parts)}</schema></vosi:tableset>\n"
    )


def _vosi_column(row: dict[str, Any]) -> str:
    size = f' arraysize="{row["arraysize"]}"' if row["arraysize"] else ""
    optional = "".join(
        f"<{name}>{escape(str(row[name]))}</{name}>"
        for name in ("description", "unit", "ucd")
        if row[name]
    )
    return (
        f"<column><name>{escape(row['column_name'])}</name>{optional}"
        f'<dataType xsi:type="vs:VOTableType"{size}>{row["datatype"]}</dataType></column>'
    )
