from __future__ import annotations

import gzip
import json

import pytest

from services.mma import parse, sample, send
from shared.errors import UpstreamUnavailableError
from shared.testing.notices import lvk_json, voevent


def test_check_says_what_is_in_each_file(tmp_path, capsys):
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(lvk_json()))
    (tmp_path / "b.xml").write_bytes(voevent("ivo://e/s#1", time="2022-01-00T00:00:00"))
    (tmp_path / "notes.txt").write_text("no notice")
    assert parse.main([str(tmp_path)]) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["status"], first["event_id"]) == ("accepted", "S240115a")
    assert first["area_90_deg2"] == pytest.approx(first["localization"]["area_90_deg2"])
    assert "payload" not in first
    assert (second["status"], second["reason"]) == ("rejected", "malformed_time")


def test_check_of_good_notices_ends_with_zero(tmp_path):
    (tmp_path / "a.xml").write_bytes(voevent("ivo://e/s#1"))
    assert parse.main([str(tmp_path / "a.xml")]) == 0


def test_send_refuses_before_it_sends_anything(tmp_path, capsys, monkeypatch):
    sent = []

    async def record(_, notices):
        sent.extend(notices)

    monkeypatch.setattr(send, "send", record)
    (tmp_path / "a.xml").write_bytes(voevent("ivo://e/s#1"))
    (tmp_path / "b.xml").write_bytes(b"<a/>")
    missing = tmp_path / "missing.xml"
    assert send.main([str(tmp_path / "a.xml"), str(tmp_path / "b.xml"), str(missing)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line.get("reason", "sent") for line in lines} == {
        "sent", "not_voevent", "unreadable_file",
    }  # fmt: skip
    assert [notice.event_id for notice in sent] == ["ivo://e/s#1"]


def test_send_without_kafka_says_how_to_start_it(tmp_path, capsys, monkeypatch):
    async def refuse(*_):
        raise UpstreamUnavailableError("no Kafka at 127.0.0.1:1")

    monkeypatch.setattr(send, "send", refuse)
    (tmp_path / "a.xml").write_bytes(voevent("ivo://e/s#1"))
    assert send.main([str(tmp_path / "a.xml")]) == 2
    assert "tocsin up" in capsys.readouterr().err


def test_sample_without_its_package_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sample, "files", lambda _: [])
    assert sample.main(["--out", str(tmp_path / "n.json")]) == 1
    assert "pip install --no-deps gwcelery" in capsys.readouterr().err


@pytest.mark.parametrize("kind", sample.SAMPLES)
def test_samples_are_what_they_say(kind, tmp_path, capsys):
    try:
        sample.sample_payload(kind)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    path = tmp_path / "notice"
    assert sample.main(["--kind", kind, "--out", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert parse.main([str(path)]) == 0
    assert said["radius_90_deg"] > 0
    if kind == "gw":
        # S240621dy: 34.06 deg2 by ligo.skymap 2.5.4 on the same map.
        assert said["area_90_deg2"] == pytest.approx(34.06, rel=1e-3)


def test_the_samples_retraction_withdraws_it(tmp_path, capsys):
    path = tmp_path / "r.json"
    assert sample.main(["--kind", "gw-retraction", "--out", str(path)]) == 0
    capsys.readouterr()
    assert parse.main([str(path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["event_id"], said["alert_kind"]) == ("S240621dy", "retraction")
