"""What surrounds the verb: dead letters, warming up, the registry of schemas."""

import httpx
import pytest

from services.ingest.adapters.schema_registry import registry_of, schema_by_id
from services.ingest.agent import create_app, letters_of
from services.ingest.normalise import Refused
from services.ingest.settings import IngestSettings
from services.ingest.warm_up import warm_up
from shared.errors import RejectedRecordError, UpstreamUnavailableError


def test_letters_say_where_the_packet_is(packets_of):
    packets = packets_of(b"one", b"two", b"x" * (5 << 20))
    refused = [
        Refused(1, "truncated", "why"),
        Refused(0, "duplicate", "twin", "77"),
        Refused(2, "bad_avro", ""),
    ]
    bad, twin, large = letters_of(packets, refused)
    assert (bad.stage, bad.reason, bad.detail) == ("ingest", "truncated", "why")
    assert (bad.origin_topic, bad.origin_partition, bad.origin_offset) == ("ztf_alerts", 0, 1)
    assert bad.payload == b"two"
    assert (twin.alert_id, twin.payload) == ("77", None)
    assert large.payload is None


def test_warm_up_goes_through_everything():
    result = warm_up()
    assert len(result.batches[0].batch) == 1
    assert result.sent_before == 1
    assert result.batches[0].batch.light_curves.lengths.tolist() == [2]


def test_create_app_connects_to_nothing(tmp_path):
    settings = IngestSettings(state_dir=tmp_path, kafka_bootstrap_servers="127.0.0.1:1")
    assert create_app(settings).metrics.service == "ingest"


def answering(monkeypatch, status, **content):
    asked = []

    def get(url, **_):
        asked.append(url)
        return httpx.Response(status, request=httpx.Request("GET", url), **content)

    monkeypatch.setattr(httpx, "get", get)
    return asked


def test_registry_is_asked_once_and_remembered_on_disk(monkeypatch, tmp_path):
    asked = answering(monkeypatch, 200, json={"schema": '{"type": "string"}'})
    for _ in range(2):
        assert schema_by_id("http://r", None, tmp_path, 1000) == b'{"type": "string"}'
    assert asked == ["http://r/schemas/ids/1000"]


def test_registry_answers(monkeypatch, tmp_path):
    answering(monkeypatch, 404)
    with pytest.raises(RejectedRecordError, match="unknown_schema"):
        schema_by_id("http://r", None, tmp_path, 1)
    for status, content in (
        (500, {}),
        (200, {"text": "<html>"}),
        (200, {"json": {"schema": 7}}),
        (200, {"json": []}),
    ):
        answering(monkeypatch, status, **content)
        with pytest.raises(UpstreamUnavailableError):
            schema_by_id("http://r", None, tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_without_a_registry_the_official_schemas_count(tmp_path):
    assert registry_of(IngestSettings()) is None
    assert registry_of(IngestSettings(ingest_schema_registry_url="http://r/")) is not None
