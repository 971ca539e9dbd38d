"""The compiled decoder against fastavro, on schemas and bytes nobody would send."""

import io
import math
import sys

import fastavro
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from services.ingest.avro import (
    Projection,
    SlowSchemaError,
    TooMuchAtOnceError,
    UnsupportedSchemaError,
    compile_program,
    decode,
)
from services.ingest.avro import instructions as op
from services.ingest.avro.columns import short_code, typed
from services.ingest.avro.kernel import MAX_ITEMS, TOO_LONG_FOR_SHORT
from services.ingest.avro.reference import (
    MAX_RECORD_BYTES,
    decode_by_reference,
    reference_schema,
)
from shared.errors import RejectedRecordError
from shared.packets.containers import write_varint

ITEM = {
    "type": "record",
    "name": "item",
    "fields": [
        {"name": "skipped", "type": ["null", "string"]},
        {"name": "time", "type": "double"},
        {"name": "flux", "type": ["float", "null"]},
        {"name": "band", "type": ["null", "string"]},
        {"name": "flags", "type": {"type": "map", "values": "int"}},
    ],
}
SCHEMA = {
    "type": "record",
    "name": "top",
    "namespace": "a.b",
    "fields": [
        {"name": "kind", "type": {"type": "enum", "name": "k", "symbols": ["x", "y"]}},
        {"name": "hash", "type": {"type": "fixed", "name": "h", "size": 5}},
        {"name": "id", "type": "long"},
        {"name": "count", "type": "int"},
        {"name": "name", "type": ["string", "null"]},
        {"name": "mixed", "type": ["null", "int", "string", ITEM]},
        {"name": "good", "type": ["null", "boolean"]},
        {"name": "nested", "type": {"type": "array", "items": {"type": "array", "items": "int"}}},
        {"name": "items", "type": ["null", {"type": "array", "items": "item"}]},
        {"name": "inner", "type": ["null", {"type": "record", "name": "inner", "fields": [
            {"name": "x", "type": "double"}, {"name": "y", "type": ["null", "float"]}]}]},
        {"name": "blob", "type": "bytes"},
    ],
}  # fmt: skip
PROJECTION = Projection(
    scalars=("id", "count", "name", "good", "inner.x", "inner.y", "nowhere"),
    lists={"items": ("time", "flux", "band"), "absent": ("x",)},
    present=("inner",),
)
PROGRAM = compile_program(SCHEMA, PROJECTION)
PARSED = fastavro.parse_schema(SCHEMA)

longs = st.integers(-(2**63), 2**63 - 1)
ints = st.integers(-(2**31), 2**31 - 1)
floats = st.floats(width=32, allow_nan=False)
texts = st.text(max_size=12)
items = st.fixed_dictionaries(
    {
        "skipped": st.none() | texts,
        "time": st.floats(allow_nan=False),
        "flux": st.none() | floats,
        "band": st.none() | texts,
        "flags": st.dictionaries(texts, ints, max_size=3),
    }
)
records = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["x", "y"]),
        "hash": st.binary(min_size=5, max_size=5),
        "id": longs,
        "count": ints,
        "name": st.none() | texts,
        "mixed": st.none() | ints | texts | items,
        "good": st.none() | st.booleans(),
        "nested": st.lists(st.lists(ints, max_size=3), max_size=3),
        "items": st.none() | st.lists(items, max_size=5),
        "inner": st.none() | st.fixed_dictionaries({"x": floats, "y": st.none() | floats}),
        "blob": st.binary(max_size=30),
    }
)


def encode(record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, PARSED, record)
    return out.getvalue()


def run(*payloads):
    starts = np.zeros(len(payloads), np.int64)
    return decode(PROGRAM, payloads, starts, np.array([len(p) for p in payloads], np.int64))


def column(decoded, path):
    """A column as Python values."""
    one = decoded.columns[path]
    values = typed(decoded.raw[one.row], one.kind).tolist()
    valid = decoded.valid[one.row]
    return [value if ok else None for value, ok in zip(values, valid, strict=True)]


def members(ragged, name):
    one = ragged.columns[name]
    values = typed(ragged.raw[one.row], one.kind).tolist()
    flat = [v if ok else None for v, ok in zip(values, ragged.valid[one.row], strict=True)]
    return [flat[a:b] for a, b in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)]


def code_of(text):
    if text is None:
        return None
    return int(TOO_LONG_FOR_SHORT) if len(text.encode()) > 8 else short_code(text)


RECORD = {
    "kind": "y", "hash": b"12345", "id": -(2**63), "count": -5, "name": "ZTF", "mixed": "text",
    "good": True, "nested": [[1, 2], []], "inner": {"x": 1.5, "y": None}, "blob": b"\xff" * 20,
    "items": [
        {"skipped": "s", "time": 1.0, "flux": 2.5, "band": "g", "flags": {"a": 1}},
        {"skipped": None, "time": 2.0, "flux": None, "band": None, "flags": {}},
    ],
}  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records, min_size=1, max_size=4))
def test_equals_fastavro(batch):
    decoded = run(*map(encode, batch))
    assert decoded.faults.tolist() == [op.OK] * len(batch)
    back = [fastavro.schemaless_reader(io.BytesIO(encode(r)), PARSED, None) for r in batch]
    assert column(decoded, "id") == [r["id"] for r in back]
    assert column(decoded, "count") == [r["count"] for r in back]
    assert column(decoded, "good") == [r["good"] for r in back]
    assert decoded.texts["name"].to_pylist() == [r["name"] for r in back]
    assert column(decoded, "inner.x") == [r["inner"] and r["inner"]["x"] for r in back]
    assert column(decoded, "inner.y") == [r["inner"] and r["inner"]["y"] for r in back]
    assert decoded.given("inner").tolist() == [r["inner"] is not None for r in back]
    listed = decoded.ragged("items")
    for name, plain in (("time", None), ("flux", None), ("band", code_of)):
        expected = [
            [m[name] if plain is None else plain(m[name]) for m in r["items"] or []] for r in back
        ]
        assert members(listed, name) == expected


def test_reference_gives_the_same_columns():
    payloads = [encode(RECORD), encode(RECORD | {"items": None, "name": None})]
    starts, ends = np.zeros(2, np.int64), np.array([len(p) for p in payloads])
    slow = decode_by_reference(SCHEMA, PROJECTION, payloads, starts, ends)
    fast = run(*payloads)
    for path in ("id", "count", "inner.x"):
        assert slow.numbers(path).tolist() == fast.numbers(path).tolist()
    assert slow.texts["name"].to_pylist() == fast.texts["name"].to_pylist()
    assert slow.given("inner").tolist() == fast.given("inner").tolist()
    for name in ("time", "flux"):
        a, b = slow.ragged("items").numbers(name), fast.ragged("items").numbers(name)
        assert np.array_equal(a, b, equal_nan=True)
    assert (
        slow.ragged("items").codes("band").tolist() == fast.ragged("items").codes("band").tolist()
    )


def test_absent_fields_are_absent():
    decoded = run(encode(RECORD))
    assert math.isnan(decoded.numbers("nowhere")[0])
    assert len(decoded.ragged("absent")) == 0
    assert decoded.integers("nowhere", missing=-1).tolist() == [-1]


def test_every_truncation_is_a_fault_of_that_packet_alone():
    whole = encode(RECORD)
    decoded = run(*(whole[:length] for length in range(len(whole))), whole)
    assert decoded.rows.tolist() == [len(whole)]
    assert set(decoded.faults[:-1].tolist()) <= {op.TRUNCATED}
    assert members(decoded.ragged("items"), "time") == [[1.0, 2.0]]


def test_trailing_bytes_are_a_fault():
    assert run(encode(RECORD) + b"\x00").faults.tolist() == [op.TRAILING_BYTES]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400), st.binary(max_size=12))
def test_mutated_bytes_never_crash(at, byte, cut, inserted):
    whole = bytearray(encode(RECORD))
    whole[at % len(whole)] = byte
    mutated = bytes(whole[: cut % len(whole)]) + inserted + bytes(whole[cut % len(whole) :])
    decoded = run(encode(RECORD), mutated, bytes(whole), encode(RECORD))
    assert decoded.faults[0] == decoded.faults[3] == op.OK
    assert all(fault in op.FAULTS or fault == op.OK for fault in decoded.faults.tolist())
    for text in decoded.texts.values():
        text.validate(full=True)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_crash(payload):
    assert run(payload).faults[0] in {*op.FAULTS, op.OK}


LISTED = {
    "type": "record", "name": "l", "fields": [
        {"name": "xs", "type": {"type": "array", "items": {"type": "record", "name": "x",
            "fields": [{"name": "v", "type": "long"}]}}},
        {"name": "after", "type": "int"},
    ],
}  # fmt: skip
LISTED_PROGRAM = compile_program(LISTED, Projection(("after",), {"xs": ("v",)}))


def run_listed(*payloads):
    ends = np.array([len(p) for p in payloads], np.int64)
    return decode(LISTED_PROGRAM, payloads, np.zeros(len(payloads), np.int64), ends)


def test_blocks_with_negative_counts_and_several_blocks():
    values = b"".join(map(write_varint, (5, 6, 7)))
    payload = (
        write_varint(-3) + write_varint(len(values)) + values
        + write_varint(1) + write_varint(8) + write_varint(0) + write_varint(9)
    )  # fmt: skip
    decoded = run_listed(payload)
    assert members(decoded.ragged("xs"), "v") == [[5, 6, 7, 8]]
    assert column(decoded, "after") == [9]


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (write_varint(2**62) + b"\x02" * 50, op.BAD_COUNT),
        (write_varint(-(2**63)) + write_varint(3) + b"\x02\x02\x02", op.BAD_COUNT),
        (write_varint(-2) + write_varint(-5) + b"\x02" * 9, op.BAD_COUNT),
        (write_varint(-2) + write_varint(2**40) + b"\x02" * 9, op.TRUNCATED),
        (b"\xff" * 11, op.BAD_NUMBER),
        (write_varint(0) + write_varint(2**40), op.BAD_NUMBER),
        (write_varint(0), op.TRUNCATED),
        (b"", op.TRUNCATED),
    ],
)
def test_hostile_counts_and_numbers(payload, fault):
    assert run_listed(payload).faults.tolist() == [fault]


def test_lists_grow_and_end_at_a_limit():
    def listed(n):
        return write_varint(n) + b"\x02" * n + b"\x00\x12"

    decoded = run_listed(listed(3), listed(5000), listed(MAX_ITEMS + 200), listed(2))
    assert decoded.faults.tolist() == [op.OK, op.OK, op.TOO_MANY_ITEMS, op.OK]
    assert np.diff(decoded.ragged("xs").offsets).tolist() == [3, 5000, 2]
    assert set(decoded.ragged("xs").numbers("v")) == {1.0}


def test_text_that_is_not_utf8_is_a_fault():
    good, bad = encode(RECORD), encode(RECORD).replace(b"ZTF", b"Z\xffF")
    decoded = run(good, bad, good)
    assert decoded.faults.tolist() == [op.OK, op.BAD_STRING, op.OK]
    assert decoded.texts["name"].to_pylist() == ["ZTF", "ZTF"]


def test_slices_of_a_payload_are_decoded():
    inside = b"head" + encode(RECORD) + b"tail"
    decoded = decode(PROGRAM, [inside], np.array([4]), np.array([len(inside) - 4]))
    assert column(decoded, "count") == [-5]


def record_of(*fields):
    return {"type": "record", "name": "r", "fields": [{"name": n, "type": t} for n, t in fields]}


def doubling(depth):
    """Each record holds the one before twice: 2**depth instructions if written out."""
    named = record_of(("a", "int"))
    for level in range(depth):
        inner = {**named, "name": f"n{level}"}
        named = record_of(("a", inner), ("b", f"n{level}"))
    return named


@pytest.mark.parametrize(
    "schema",
    [
        record_of(("a", ["null", "r"])),
        record_of(("a", {"type": "array", "items": "null"})),
        record_of(("a", {"type": "array", "items": {"type": "record", "name": "e", "fields": []}})),
        record_of(("a", "unheard_of")),
        record_of(("a", [])),
        record_of(("a", {"type": "fixed", "name": "f", "size": -1})),
        doubling(20),
        {"type": "record", "name": "r"},
        {"type": "record", "name": "r", "fields": [7]},
        {"type": "array", "items": "int"},
        "int",
        ["null"],
    ],
)
def test_schemas_that_are_refused(schema):
    with pytest.raises(UnsupportedSchemaError):
        compile_program(schema, Projection((), {}))


def test_deep_schemas_are_refused():
    schema = "int"
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    with pytest.raises(UnsupportedSchemaError, match="deep"):
        compile_program(record_of(("a", schema)), Projection((), {}))


def test_missing_required_field_is_named():
    with pytest.raises(UnsupportedSchemaError, match="candid"):
        compile_program(record_of(("a", "int")), Projection(("candid",), {}, required=("candid",)))


def test_wanted_union_of_several_types_needs_the_reference():
    with pytest.raises(SlowSchemaError):
        compile_program(record_of(("a", ["null", "int", "double"])), Projection(("a",), {}))


def encoded(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def hostile(*, before=(), after=(), kind=None):
    """A schema whose ``name`` only fastavro reads, among other fields."""
    kind = kind or {"type": "enum", "name": "slow", "symbols": ["a"]}
    fields = [*before, {"name": "id", "type": "long"}, {"name": "name", "type": kind}, *after]
    return {"type": "record", "name": "top", "fields": fields}


@pytest.mark.parametrize("field", [
    {"name": "bomb", "type": {"type": "array", "items": "null"}},
    {"name": "deep", "type": {"type": "record", "name": "r", "fields": [
        {"name": "next", "type": ["null", "r"]}]}},
    {"name": "dear", "type": {"type": "array", "items": {"type": "record", "name": "wide", "fields":
        [{"name": "one", "type": "boolean"}]
        + [{"name": f"f{k}", "type": "null"} for k in range(50)]}}},
], ids=["counts without bytes", "recursion", "objects without bytes"])  # fmt: skip
@pytest.mark.parametrize("place", ["before", "after"])
def test_slow_schemas_are_bounded_too(field, place):
    # fastavro ends the process on deep recursion, and never comes back from 2**40 nulls.
    with pytest.raises(UnsupportedSchemaError) as caught:
        compile_program(hostile(**{place: [field]}), PROJECTION)
    assert not isinstance(caught.value, SlowSchemaError)


@pytest.mark.parametrize("lists", [
    [{"name": "items", "type": {"type": "array", "items": ["null", "int"]}}],
    [{"name": "items", "type": {"type": "array", "items": ITEM}},
     {"name": "items", "type": {"type": "array", "items": "int"}}],
], ids=["items that may be null", "one list twice"])  # fmt: skip
def test_lists_whose_columns_would_stay_unwritten_are_not_compiled(lists):
    # Their memory is not zeroed before: it must not come out as a light curve.
    schema = {"type": "record", "name": "top", "fields": lists}
    with pytest.raises(SlowSchemaError):
        compile_program(schema, PROJECTION)


def test_many_members_in_few_bytes_are_decoded_in_turn(monkeypatch, ends):
    monkeypatch.setattr(sys.modules["services.ingest.avro.decode"], "MAX_ROWS_AT_ONCE", 300)
    items = {"type": "array", "items": {"type": "record", "name": "i", "fields": [
        {"name": "flux", "type": ["null", "float"]}]}}  # fmt: skip
    schema = {"type": "record", "name": "top", "fields": [{"name": "items", "type": items}]}
    program = compile_program(schema, PROJECTION)
    packet = write_varint(5000) + b"\0" * 5000 + b"\0"
    with pytest.raises(TooMuchAtOnceError):
        decode(program, [packet] * 2, *ends([packet] * 2))
    assert len(decode(program, [packet], *ends([packet])).ragged("items")) == 5000


def test_reference_survives_what_fits_no_column(ends):
    kind = ["long", "string", "boolean", "double", "null"]
    schema = hostile(kind=kind, after=[{"name": "items", "type": "long"}])
    parsed = reference_schema(schema)
    rows = [5, "five", True, 5.5, None]
    packets = [encoded(schema, {"id": 1, "name": row, "items": 3}) for row in rows]
    found = decode_by_reference(parsed, PROJECTION, packets, *ends(packets))
    assert len(found) == len(rows)
    assert found.numbers("id").tolist() == [1.0] * len(rows)
    assert len(found.ragged("items")) == 0


def test_reference_ignores_logical_types(ends):
    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 10**9}
    schema = hostile(after=[{"name": "x", "type": decimal}])
    packet = write_varint(7) + b"\0" + write_varint(3) + b"abc"
    found = decode_by_reference(reference_schema(schema), PROJECTION, [packet], *ends([packet]))
    assert found.numbers("id").tolist() == [7.0]


def test_reference_refuses_large_records(ends):
    schema = hostile(after=[{"name": "x", "type": "bytes"}])
    size = MAX_RECORD_BYTES
    packet = write_varint(7) + b"\0" + write_varint(size) + b"x" * size
    found = decode_by_reference(reference_schema(schema), PROJECTION, [packet], *ends([packet]))
    assert op.FAULTS[int(found.faults[0])][0] == "too_large"
    with pytest.raises(TooMuchAtOnceError):
        decode_by_reference(reference_schema(schema), PROJECTION, [packet] * 2, *ends([packet] * 2))


def test_reference_schema_says_what_fastavro_does_not_take():
    with pytest.raises(RejectedRecordError) as caught:
        reference_schema(hostile(after=[{"name": "x", "type": "nowhere"}]))
    assert caught.value.reason == "unsupported_schema"
