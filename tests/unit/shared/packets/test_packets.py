"""Packets out of files, and the containers they are framed in."""

import io
import tarfile
from datetime import UTC, datetime

import fastavro
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RejectedRecordError
from shared.packets import iter_packets
from shared.packets.containers import (
    read_header,
    read_varint,
    schema_name,
    unpack,
    write_container,
    write_varint,
)
from shared.packets.lsst_schemas import (
    assemble,
    official_schema_json,
    official_versions,
    schema_id_of,
)
from shared.packets.several_records import split_container

SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "ztf",
    "fields": [{"name": "x", "type": "long"}],
}
SCHEMA_JSON = orjson.dumps(SCHEMA)


def written(*values, codec="null"):
    out = io.BytesIO()
    fastavro.writer(
        out, fastavro.parse_schema(dict(SCHEMA)), [{"x": v} for v in values], codec=codec
    )
    return out.getvalue()


def read(payload):
    return [record["x"] for record in fastavro.reader(io.BytesIO(payload))]


@given(st.integers(-(2**63), 2**63 - 1))
def test_varints_go_round(value):
    assert read_varint(b"??" + write_varint(value), 2) == (value, 2 + len(write_varint(value)))


def test_containers_go_round_with_fastavro():
    ours = write_container(SCHEMA_JSON, write_varint(7))
    assert read(ours) == [7]
    assert read_header(ours).schema_json == SCHEMA_JSON
    assert read_header(written(1)).codec == "null"


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_containers_of_several_records_are_split(codec):
    pieces = list(split_container(written(5, -6, 7, codec=codec)))
    assert [read(piece) for piece in pieces] == [[5], [-6], [7]]


def test_one_record_and_broken_bytes_are_left_alone():
    one = written(5)
    assert list(split_container(one)) == [one]
    cut = written(5, 6)[:-4]
    assert list(split_container(cut)) == [cut]
    assert list(split_container(b"Obj\x01")) == [b"Obj\x01"]


def container_of(schema, count, body):
    """A container with one block, which fastavro would not write."""
    head = write_container(orjson.dumps(schema), b"", b"S" * 16)[:-18]
    return head + write_varint(count) + write_varint(len(body)) + body + b"S" * 16


def record_with(type_):
    return {"type": "record", "name": "r", "fields": [{"name": "f", "type": type_}]}


NOTHING = {"type": "record", "name": "nothing", "fields": []}
ALL_TYPES = record_with(
    ["null", {"type": "record", "name": "inner", "namespace": "n", "fields": [
        {"name": "a", "type": {"type": "array", "items": ["null", "n.inner", "double"]}},
        {"name": "m", "type": {"type": "map", "values": "bytes"}},
        {"name": "e", "type": {"type": "enum", "name": "e", "symbols": ["X", "Y"]}},
        {"name": "x", "type": {"type": "fixed", "name": "six", "size": 6}},
        {"name": "s", "type": ["string", "boolean", "float", "six"]},
        {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ]}]
)  # fmt: skip


def test_records_of_every_type_are_walked_over():
    leaf = {
        "a": [],
        "m": {"k": b"v"},
        "e": "Y",
        "x": b"123456",
        "s": "text",
        "t": datetime(2026, 1, 1, tzinfo=UTC),
    }
    top = {**leaf, "a": [1.5, None, {**leaf, "s": True}], "m": {}, "s": 2.5}
    rows = [{"f": top}, {"f": None}, {"f": leaf}]
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(dict(ALL_TYPES)), rows)
    pieces = list(split_container(out.getvalue()))
    assert [list(fastavro.reader(io.BytesIO(piece))) for piece in pieces] == [[r] for r in rows]


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (record_with({"type": "array", "items": NOTHING}), write_varint(2**40) + b"\0" * 9),
        (record_with({"type": "map", "values": "null"}), write_varint(-(2**40)) + b"\0" * 9),
        (record_with("string"), write_varint(2**40) + b"abc"),
        (record_with("bytes"), write_varint(-5) + b"abc"),
        (record_with("r"), b"aaaa"),
        (record_with(["null", "int"]), write_varint(7)),
        (record_with("unheard-of"), b"aaaa"),
        ({"type": "record", "name": "r", "fields": [{"name": "f"}]}, b"aaaa"),
        ({"type": "record", "name": "r"}, b"aaaa"),
        (NOTHING, b""),
        (["null"] * 3, b"aaaa"),
    ],
)
def test_hostile_containers_are_left_alone_at_once(schema, body):
    payload = container_of(schema, 2, body)
    assert list(split_container(payload)) == [payload]


def test_what_breaks_within_gives_its_sound_records_then_itself():
    payload = container_of(SCHEMA, 3, write_varint(5) + write_varint(6) + b"\xff")
    *sound, broken = split_container(payload)
    assert [read(piece) for piece in sound] == [[5], [6]]
    assert broken is payload


def test_deflate_bombs_are_refused():
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b"\0" * (80 << 20)) + packer.flush()
    with pytest.raises(RejectedRecordError, match="too large"):
        unpack(bomb, "deflate")


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        (SCHEMA, "ztf.alert"),
        ({"name": "lsst.v9_0.alert"}, "lsst.v9_0.alert"),
        ({"name": "a.b", "namespace": "c"}, "a.b"),
        ({}, ""),
        ([1], ""),
        ({"name": 7}, ""),
    ],
)
def test_schema_names(schema, name):
    assert schema_name(orjson.dumps(schema)) == name


def test_folders_archives_and_messages_in_order(tmp_path):
    (tmp_path / "b.avro").write_bytes(written(2, 3))
    (tmp_path / "a.bin").write_bytes(b"\x00\x00\x00\x03\xe8body")
    (tmp_path / "notes.md").write_text("no packet")
    (tmp_path / "unnamed").write_bytes(written(4))
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("deep/x.avro")
        member.size = len(written(9))
        tar.addfile(member, io.BytesIO(written(9)))
        link = tarfile.TarInfo("link.avro")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    skipped = []
    found = list(iter_packets([tmp_path], skipped.append))
    assert [f.name.removeprefix(f"{tmp_path}/") for f in found] == [
        "a.bin", "b.avro:0", "b.avro:1", "c.tar.gz:deep/x.avro", "unnamed",
    ]  # fmt: skip
    assert [f.survey for f in found] == ["lsst", "ztf", "ztf", "ztf", "ztf"]
    assert [read(f.payload) for f in found[1:]] == [[2], [3], [9], [4]]
    assert skipped == [f"{tmp_path}/notes.md"]


def tar_of(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_archives_within_archives(tmp_path):
    table = tmp_path / "t.parquet"
    rows = [{"objectId": "ZTF1", "candid": 1, "candidate": {"jd": 1.5}}]
    pq.write_table(pa.Table.from_pylist(rows), table)
    inner = tar_of(
        tmp_path / "inner.tar.gz",
        {"unnamed": written(4), "t.parquet": table.read_bytes(), "notes.md": b"Obj"},
    )
    outer = tar_of(tmp_path / "outer.tar.gz", {"i.tgz": inner.read_bytes(), "z.avro": written(5)})
    skipped = []
    found = list(iter_packets([outer], skipped.append))
    assert [f.name.removeprefix(f"{outer}:") for f in found] == [
        "i.tgz:unnamed", "i.tgz:t.parquet:row 0", "z.avro",
    ]  # fmt: skip
    assert [read(found[0].payload), read(found[2].payload)] == [[4], [5]]
    assert [f.reason for f in found] == [None, None, None]
    assert skipped == [f"{outer}:i.tgz:notes.md"]
    for level in range(3):
        outer = tar_of(tmp_path / f"{level}.tar.gz", {"o.tar.gz": outer.read_bytes()})
    (only,) = iter_packets([outer])
    assert only.reason == "too_deep"


def test_empty_folders_are_reported(tmp_path):
    (only,) = iter_packets([tmp_path])
    assert only.reason == "no_packets"


def test_ztf_parquet_rows_become_containers(tmp_path):
    rows = [
        {"objectId": "ZTF1", "candid": 2**60, "schemavsn": "4.02",
         "candidate": {"jd": 1.5, "fid": None},
         "prv_candidates": [{"jd": 2.5}], "cutoutScience": b"\xff"},
        {"objectId": "ZTF2", "candid": 2, "schemavsn": "4.02", "candidate": {"jd": 2.5, "fid": 1},
         "prv_candidates": None, "cutoutScience": None},
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    found = list(iter_packets([tmp_path / "t.parquet"]))
    assert [f.survey for f in found] == ["ztf", "ztf"]
    assert [next(iter(fastavro.reader(io.BytesIO(f.payload)))) for f in found] == rows
    assert orjson.loads(read_header(found[0].payload).schema_json)["version"] == "4.02"


def test_tables_of_something_else_are_reported(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    (only,) = iter_packets([tmp_path / "t.parquet"])
    assert (only.reason, only.payload) == ("unknown_survey", b"")


def test_lsst_schemas_are_put_together(tmp_path):
    part = {
        "namespace": "n",
        "name": "part",
        "type": "record",
        "fields": [{"name": "x", "type": "int"}],
    }
    top = {"namespace": "n", "name": "top", "type": "record", "fields": [
        {"name": "one", "type": "n.part"},
        {"name": "more", "type": ["null", {"type": "array", "items": "n.part"}]},
    ]}  # fmt: skip
    (tmp_path / "n.part.avsc").write_bytes(orjson.dumps(part))
    (tmp_path / "n.top.avsc").write_bytes(orjson.dumps(top))
    whole = assemble(tmp_path, "n.top")
    assert whole["fields"][0]["type"] == part
    assert whole["fields"][1]["type"][1]["items"] == "n.part"
    fastavro.parse_schema(whole)


def test_official_lsst_schemas():
    if not official_versions():
        pytest.skip("the package lsst-alert-packet is not installed")
    assert schema_id_of(10, 0) == 1000
    for version in official_versions():
        fastavro.parse_schema(orjson.loads(official_schema_json(*version)))
    with pytest.raises(RejectedRecordError, match="unknown_schema"):
        official_schema_json(99, 9)
