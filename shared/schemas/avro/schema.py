"""The published alert as an Avro schema, generated from the Arrow columns.

``python -m shared.schemas.avro.schema`` writes the file that is committed; a test compares.
One schema serves every survey: ``survey_fields`` and ``features``, structs in Arrow, are maps
here, so that one subscriber reads ZTF and LSST with one schema id.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import types

from shared.schemas.alert import ALERT_SCHEMA_VERSION
from shared.schemas.published import OPEN_STRUCTS, PUBLISHED

SCHEMA_ID = ALERT_SCHEMA_VERSION
"""Confluent schema id of the alert: the version, so that ids need no server to be given out."""
SCHEMA_NAME = f"alert.v{ALERT_SCHEMA_VERSION}"
SCHEMA_FILE = Path(__file__).parent / f"{SCHEMA_NAME}.avsc"
NAMESPACE = "org.tocsin"

_RECORD_NAMES = {
    "matches": "CatalogMatch",
    "hosts": "HostGalaxy",
    "watchlists": "WatchlistHit",
    "regions": "RegionHit",
    "associations": "EventAssociation",
}

_PRIMITIVES: tuple[tuple[Any, str], ...] = (
    (types.is_boolean, "boolean"),
    (types.is_int8, "int"),
    (types.is_int16, "int"),
    (types.is_int32, "int"),
    (types.is_int64, "long"),
    (types.is_float32, "float"),
    (types.is_float64, "double"),
    (types.is_string, "string"),
    (types.is_large_string, "string"),
)


def primitive_name(type_: pa.DataType) -> str | None:
    """The Avro primitive of an Arrow type; None if it is no primitive."""
    return next((name for test, name in _PRIMITIVES if test(type_)), None)


def alert_schema() -> dict[str, Any]:
    """The Avro schema of the published alert, as JSON-ready dictionaries."""
    return {
        "type": "record",
        "name": "Alert",
        "namespace": NAMESPACE,
        "doc": "One alert as Tocsin publishes it, whatever the survey.",
        "fields": [avro_field(field) for field in PUBLISHED],
    }


def avro_field(field: pa.Field) -> dict[str, Any]:
    """One member of an Avro record; a nullable column is a union with null, null by default."""
    type_ = _avro_type(field.name, field.type)
    declared: dict[str, Any] = {"name": field.name, "type": type_, "doc": _doc(field)}
    if field.nullable:
        declared.update(type=["null", type_], default=None)
    return declared


def _avro_type(name: str, type_: pa.DataType) -> Any:
    if name in OPEN_STRUCTS and types.is_struct(type_):
        return {"type": "map", "values": list(OPEN_STRUCTS[name])}
    if types.is_list(type_):
        # By contract a list of ours holds no null, so its items are no union.
        return {"type": "array", "items": _avro_type(name, type_.value_type)}
    if types.is_struct(type_):
        record = _RECORD_NAMES.get(name, "".join(word.title() for word in name.split("_")))
        members = [avro_field(type_.field(i)) for i in range(type_.num_fields)]
        return {"type": "record", "name": record, "fields": members}
    primitive = primitive_name(type_)
    if primitive is None:
        raise TypeError(f"column {name!r}: no Avro type for Arrow {type_}; add it here")
    return primitive


def _doc(field: pa.Field) -> str:
    """What the Arrow metadata says about the column, in one line."""
    words = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
    parts = [words.get("meaning", "")]
    if "unit" in words:
        parts.append(f"Unit: {words['unit']}.")
    if "null" in words:
        parts.append(f"Null: {words['null']}.")
    return " ".join(filter(None, parts))


def schema_text() -> str:
    """What the committed ``.avsc`` must hold."""
    return json.dumps(alert_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
