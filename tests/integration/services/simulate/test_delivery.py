"""Simulated and replayed packets reach a real topic byte for byte, and failures are told."""

import importlib.metadata
import time
import uuid

import pytest
from confluent_kafka import Consumer

from services.simulate import night, replay
from shared.packets import iter_packets

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module", autouse=True)
def _packages():
    for package in ("fink-science", "PyOngc", "lsst-alert-packet"):
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"needs the data files of {package}: packages-without-dependencies.txt")


@pytest.fixture
def settings(kafka, monkeypatch):
    monkeypatch.setenv("TOCSIN_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("TOCSIN_SEND_TIMEOUT_S", "5")
    return kafka


def read_all(kafka, topic, count):
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    messages, deadline = [], time.monotonic() + 30
    while time.monotonic() < deadline and len(messages) <= count:
        batch = consumer.consume(500, timeout=1.0)
        if not batch and len(messages) >= count:
            break
        messages += batch
    consumer.close()
    assert all(m.error() is None for m in messages)
    return messages


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
def test_simulated_then_replayed_byte_for_byte(settings, tmp_path, survey):
    topic, again = f"sim_{survey}_{uuid.uuid4().hex}", f"again_{survey}_{uuid.uuid4().hex}"
    archive = tmp_path / "night.tar"
    arguments = ["--survey", survey, "--alerts", "120", "--seed", "2"]
    assert night.main([*arguments, "--output", str(archive)]) == 0
    assert night.main([*arguments, "--topic", topic]) == 0
    assert replay.main([str(archive), "--topic", again]) == 0
    expected = sorted(p.payload for p in iter_packets([archive]))
    for name in (topic, again):
        messages = read_all(settings, name, 120)
        assert sorted(m.value() for m in messages) == expected
        assert {m.key() for m in messages} == {None}


def test_no_kafka_is_said(monkeypatch, capsys):
    monkeypatch.setenv("TOCSIN_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    assert night.main(["--alerts", "12"]) == 2
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_a_packet_too_large_for_kafka_fails(settings, tmp_path):
    (tmp_path / "big.avro").write_bytes(b"Obj\x01" + bytes(9 << 20))
    (tmp_path / "small.avro").write_bytes(b"Obj\x01 broken, but sent as it is")
    topic = f"big_{uuid.uuid4().hex}"
    assert replay.main([str(tmp_path), "--topic", topic]) == 1
    (message,) = read_all(settings, topic, 1)
    assert message.value() == b"Obj\x01 broken, but sent as it is"
