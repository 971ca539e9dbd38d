"""``tocsin ingest check`` as a user sees it."""

import io
import json
import tarfile

import pytest

from services.ingest.check import KEYS, main


@pytest.fixture
def run(capfdbinary):
    def call(*arguments):
        status = main([str(a) for a in arguments])
        captured = capfdbinary.readouterr()
        return (
            status,
            [json.loads(line) for line in captured.out.splitlines()],
            captured.err.decode(),
        )

    return call


def test_lines_have_exactly_the_promised_keys(run, samples, tmp_path):
    good, bad = tmp_path / "good.avro", tmp_path / "bad.avro"
    good.write_bytes(samples["ztf"]())
    bad.write_bytes(samples["ztf"]()[:-30])
    status, lines, err = run(good, bad)
    assert status == 1
    assert [tuple(line) for line in lines] == [KEYS, KEYS]
    accepted, rejected = lines
    assert accepted["status"] == "accepted"
    assert accepted["reason"] is None
    assert (accepted["light_curve_points"], accepted["upper_limits"]) == (1, 0)
    assert accepted["alert_id"] == "2475433850015010009"
    assert rejected["status"] == "rejected"
    assert rejected["reason"].startswith("truncated: ")
    assert "1 accepted, 1 rejected" in err
    assert f"{bad}: truncated" in err


def test_the_schema_of_a_rejected_packet_is_named_where_it_is_known(run, samples, tmp_path):
    (tmp_path / "cut.bin").write_bytes(samples["lsst"]()[:-40])
    _, (line,), _ = run(tmp_path)
    assert (line["status"], line["survey"]) == ("rejected", "lsst")
    assert line["schema_version"] is not None
    assert f"lsst {line['schema_version']}: " in line["reason"]


def test_all_accepted_is_status_0(run, samples, tmp_path):
    (tmp_path / "a.avro").write_bytes(samples["ztf"]())
    assert run(tmp_path)[0] == 0


def test_archives_and_names(run, samples, tmp_path):
    archive = tmp_path / "night.tar.xz"
    with tarfile.open(archive, "w:xz") as tar:
        for name, data in (("a.avro", samples["ztf"]()), ("b.txt", b"text"), ("c.avro", b"")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    status, lines, err = run("--names", archive)
    assert status == 1
    assert "1 accepted, 1 rejected, 1 other files passed over" in err
    assert [line["file"] for line in lines] == [f"{archive}:a.avro", f"{archive}:c.avro"]
    assert lines[1]["reason"] == "empty: the file has no bytes"


def test_what_cannot_be_read_is_reported(run, tmp_path):
    (tmp_path / "cut.tar.gz").write_bytes(b"\x1f\x8b\x08rest")
    (tmp_path / "empty.avro").write_bytes(b"")
    (tmp_path / "none.tar").write_bytes(b"\0" * 10240)
    (tmp_path / "odd.parquet").write_bytes(b"PAR1 no table")
    status, lines, _ = run(tmp_path / "absent.avro", tmp_path)
    assert status == 1
    reasons = [line["reason"].partition(":")[0] for line in lines]
    assert reasons == ["unreadable", "unreadable", "empty", "no_packets", "unreadable"]


def test_nothing_at_all_is_no_success(run, tmp_path):
    status, (line,), _ = run(tmp_path)
    assert status == 1
    assert line["reason"] == "no_packets: the folder is empty"


def test_lsst_message_with_an_unknown_schema(run, samples, tmp_path):
    (tmp_path / "m.bin").write_bytes(b"\x00" + (9999).to_bytes(4, "big") + b"rest")
    _, (line,), _ = run(tmp_path)
    assert line["survey"] == "lsst"
    assert line["reason"].startswith("unknown_schema: no official LSST schema 99.99")
