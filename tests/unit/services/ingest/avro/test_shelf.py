"""The compiled decoder equals fastavro, value by value, on every real packet."""

import io
import math

import fastavro
import numpy as np
import orjson
import pytest

from services.ingest.avro import Projection, compile_program, decode
from services.ingest.avro.columns import short_code, typed
from services.ingest.avro.kernel import TOO_LONG_FOR_SHORT
from services.ingest.framing import official_schema_by_id
from shared.errors import RejectedRecordError
from shared.packets.containers import iter_blocks, read_header
from shared.packets.files import iter_packets

PRIMITIVES = {"int", "long", "float", "double", "boolean", "string"}
FOLDERS = [("ztf", 1309), ("lsst/confluent_wire", 6), ("lsst/alerce_v9_0_ocf.avro", 1),
           ("lsst/schemas", 14), ("lsst/rubin_20260101_27_v10_0.parquet", 27),
           ("lsst/ampel", 3)]  # fmt: skip
"""Where packets are, and how many of them fastavro can read and are not compressed."""


def is_primitive(type_):
    return isinstance(type_, str) and type_ in PRIMITIVES


def everything(schema):
    """A projection of every field there is, cutouts apart."""
    named = {}
    scalars, lists = [], {}

    def resolve(type_):
        branches = [b for b in type_ if b != "null"] if isinstance(type_, list) else [type_]
        inner = branches[0] if len(branches) == 1 else None
        if isinstance(inner, dict) and inner.get("type") == "record":
            named[inner["name"].rpartition(".")[2]] = inner
        if isinstance(inner, str) and inner not in PRIMITIVES:
            return named.get(inner.rpartition(".")[2])
        return inner

    def walk(record, path):
        for field in record["fields"]:
            here = f"{path}{field['name']}"
            type_ = resolve(field["type"])
            if isinstance(type_, dict) and type_.get("type") == "record":
                walk(type_, f"{here}.")
            elif isinstance(type_, dict) and type_.get("type") == "array" and not path:
                item = resolve(type_["items"])
                lists[here] = tuple(
                    f["name"] for f in item["fields"] if is_primitive(resolve(f["type"]))
                )
            elif is_primitive(type_):
                scalars.append(here)

    walk(schema, "")
    return Projection(tuple(scalars), lists)


def find(record, path):
    for name in path.split("."):
        record = record.get(name) if record is not None else None
    return record


def same(one, raw, valid, expected):
    values = typed(raw[one.row], one.kind).tolist()
    given = [value if ok else None for value, ok in zip(values, valid[one.row], strict=True)]
    return comparable(given) == comparable(expected)


def comparable(values):
    """Texts as short codes, and NaN as something that equals itself."""
    return [
        "nan" if isinstance(value, float) and math.isnan(value)
        else value if not isinstance(value, str)
        else short_code(value) if len(value.encode()) <= 8
        else int(TOO_LONG_FOR_SHORT)
        for value in values
    ]  # fmt: skip


def framed(payload):
    if payload[:1] == b"\x00":
        schema_json = official_schema_by_id(int.from_bytes(payload[1:5], "big"))
        return schema_json, 5, len(payload)
    header = read_header(payload)
    ((start, end),) = [(a, b) for count, a, b in iter_blocks(payload, header) if count]
    return header.schema_json, start, end


@pytest.mark.long
@pytest.mark.shelf
@pytest.mark.parametrize(("folder", "packets"), FOLDERS)
def test_equals_fastavro_on_every_packet(shelf, folder, packets):
    groups = {}
    for file in iter_packets([shelf / folder]):
        try:
            schema_json, start, end = framed(file.payload)
            if read_codec(file.payload) == "null":
                groups.setdefault(schema_json, []).append((file.payload, start, end))
        except (RejectedRecordError, ValueError):
            continue
    checked = 0
    for schema_json, members in groups.items():
        schema = orjson.loads(schema_json)
        parsed = fastavro.parse_schema(orjson.loads(schema_json)) if sound(schema_json) else None
        if parsed is None:
            continue
        payloads = [p for p, _, _ in members]
        starts, ends = (np.array(column) for column in list(zip(*members, strict=True))[1:])
        decoded = decode(compile_program(schema, everything(schema)), payloads, starts, ends)
        assert not decoded.faults.any()
        records = [
            fastavro.schemaless_reader(io.BytesIO(p[a:b]), parsed, None)
            for p, a, b in zip(payloads, starts, ends, strict=True)
        ]
        for path, one in decoded.columns.items():
            expected = [find(record, path) for record in records]
            if path in decoded.texts:
                assert decoded.texts[path].to_pylist() == expected, path
            else:
                assert same(one, decoded.raw, decoded.valid, expected), path
        for name, ragged in decoded.lists.items():
            lengths = [len(record[name] or []) for record in records]
            assert np.diff(ragged.offsets).tolist() == lengths
            for member, one in ragged.columns.items():
                expected = [item[member] for record in records for item in record[name] or []]
                assert same(one, ragged.raw, ragged.valid, expected), (name, member)
        assert len(decoded.columns) > 5
        checked += len(records)
    assert checked == packets


def read_codec(payload):
    return "null" if payload[:1] == b"\x00" else read_header(payload).codec


def sound(schema_json):
    try:
        fastavro.parse_schema(orjson.loads(schema_json))
    except fastavro.schema.SchemaParseException:
        return False
    return True
