"""The archive on a real database: once kept, always kept, and kept once."""

import asyncio
import itertools
import os
import signal
import time

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.archive.keep import DatabaseKeeper
from services.archive.metrics import ArchiveMetrics
from shared.archive.cones import Cone, objects_around
from shared.archive.objects import LABELLED, object_key, object_update
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.records import Envelope, Record
from shared.local.database_server import LocalDatabase
from shared.local.server_process import free_port
from shared.schemas.label import Label
from shared.settings import ServiceSettings
from shared.sky.healpix import healpix29_of
from shared.store import Collection, open_store
from shared.testing.batches import made_up_batch

pytestmark = pytest.mark.database
_serial = itertools.count()


def settings_for(uri):
    return ServiceSettings(
        database_uri=SecretStr(uri), database_name=f"archive_test_{next(_serial)}"
    )


@pytest.fixture
def store(database):
    opened = open_store(settings_for(database.uri))
    yield opened
    opened.close()


@pytest.fixture
def keeper(store):
    return DatabaseKeeper(store, ArchiveMetrics(CollectorRegistry()))


def envelope(offset, *, alerts=20, timestamp_ms=1, topic="tocsin.alerts.correlated"):
    batch = made_up_batch(alerts, seed=offset, first_offset=offset * alerts)
    record = Record(topic, 0, offset, timestamp_ms, None, write_envelope(batch))
    return Envelope(record, batch)


async def ids_in(store, collection=Collection.ENVELOPES):
    return sorted(d["_id"] for d in await store.find(collection, {}, fields=["_id"]))


async def test_redelivered_envelopes_are_kept_once(store, keeper):
    envelopes = [envelope(n) for n in range(6)]
    await keeper.keep_envelopes(envelopes[:4])
    await keeper.keep_envelopes(envelopes)
    assert await ids_in(store) == [f"tocsin.alerts.correlated-0-{n}" for n in range(6)]
    (document,) = await store.find(
        Collection.ENVELOPES, {"alert_ids": envelopes[5].batch.strings("alert_id")[3]}
    )
    assert document["batch"] == envelopes[5].record.value


async def test_a_topic_made_anew_is_no_repeat(store, keeper):
    await keeper.keep_envelopes([envelope(0)])
    anew = envelope(0, timestamp_ms=2, alerts=3)
    await keeper.keep_envelopes([anew])
    await keeper.keep_envelopes([anew])
    assert await ids_in(store) == ["tocsin.alerts.correlated-0-0", "tocsin.alerts.correlated-0-0@2"]


async def test_records_are_kept_once_and_found_by_event(store, keeper):
    keep = keeper.keep_records(Collection.ASSOCIATIONS)
    value = b'{"event_id": "S1", "object_id": "ZTF1"}'
    records = [Record("tocsin.associations", 0, n, 1, b"S1", value) for n in range(3)]
    await keep(records)
    await keep(records)
    found = await store.find(Collection.ASSOCIATIONS, {"fields.object_id": "ZTF1"})
    assert [d["value"] for d in found] == [value] * 3


async def test_an_object_is_found_fast_among_many(store, keeper):
    for start in range(0, 60, 10):
        await keeper.keep_envelopes([envelope(n) for n in range(start, start + 10)])
    wanted = envelope(31).batch.strings("object_id")[0]
    started = time.perf_counter()
    for _ in range(20):
        found = await store.find(Collection.ENVELOPES, {"object_ids": wanted})
    assert (time.perf_counter() - started) / 20 < 0.05
    assert all(wanted in read_envelope(d["batch"]).strings("object_id") for d in found)
    assert found


async def test_a_document_too_large_is_rejected_alone(store, keeper):
    keep = keeper.keep_records(Collection.NOTICES)
    small, huge = (Record("t", 0, n, 1, None, b"x" * size) for n, size in ((0, 9), (1, 17 << 20)))
    with pytest.raises(RejectedRecordError, match="too large"):
        await keep([huge])
    await keep([small])
    assert await ids_in(store, Collection.NOTICES) == ["t-0-0"]


async def test_a_database_that_is_away_is_waited_for(monkeypatch):
    monkeypatch.setattr("shared.store.client._SELECT_SERVER_MS", 200)
    store = open_store(settings_for(f"mongodb://user:secret@127.0.0.1:{free_port()}/"))
    keeper = DatabaseKeeper(store, ArchiveMetrics(CollectorRegistry()))
    with pytest.raises(UpstreamUnavailableError) as refusal:
        await keeper.keep_envelopes([envelope(0)])
    assert "secret" not in str(refusal.value)


async def test_kill_9_loses_no_acknowledged_envelope(tmp_path):
    server = LocalDatabase(tmp_path, free_port(), tmp_path / "log", cache_mib=64)
    server.start()
    settings = settings_for(server.uri)
    store = open_store(settings)
    keeper = DatabaseKeeper(store, ArchiveMetrics(CollectorRegistry()))
    kept: list[str] = []

    async def keep_on():
        for n in itertools.count():
            one = envelope(n)
            await keeper.keep_envelopes([one])
            kept.append(f"tocsin.alerts.correlated-0-{n}")

    try:
        writing = asyncio.create_task(keep_on())
        while len(kept) < 40:
            assert not writing.done(), writing.exception()
            await asyncio.sleep(0.01)
        mark = server.process.mark()
        assert mark is not None
        os.kill(mark.pid, signal.SIGKILL)
        with pytest.raises(UpstreamUnavailableError):
            await writing
        server.start()
        reader = open_store(settings)
        assert set(kept) <= set(await ids_in(reader))
        reader.close()
    finally:
        store.close()
        server.stop()


async def test_objects_that_matter_are_found_around_a_place(store, keeper):
    await store.prepare()
    alerts = made_up_batch(200, seed=5).record_batch.to_pylist()
    for alert in alerts:
        alert["healpix29"] = int(healpix29_of(alert["ra_deg"], alert["dec_deg"])[0])
        key = object_key(alert["survey"], alert["object_id"])
        for _ in range(2):
            await store.upsert(Collection.OBJECTS, {key: object_update(alert, LABELLED)})
    assert await store.count(Collection.OBJECTS, {}) == len({one["object_id"] for one in alerts})
    label = Label(
        object_id="ZTF26new", survey="ztf", class_name="SN Ia", source="expert", author="ann",
        said_ms=1, taken_ms=2, ra_deg=10.0, dec_deg=20.0,
    )  # fmt: skip
    record = Record("tocsin.labels", 0, 0, 1, b"k", label.to_json())
    await keeper.keep_records(Collection.LABELS)([record])
    (near,) = await objects_around(store, Cone(10.0, 20.0, 1.0))
    assert (near["object_id"], near["reasons"]) == ("ZTF26new", ["labelled"])
    wide = await objects_around(store, Cone(10.0, 20.0, 90 * 3600.0))
    away = [one["separation_arcsec"] for one in wide]
    assert 50 < len(wide) < 160
    assert away == sorted(away)


async def test_a_slow_database_holds_the_archive_back_and_nothing_is_lost(store, keeper):
    """The take waits for the insert: no more is taken from Kafka than fits one take."""
    slow = SlowStore(store, 0.2)
    waiting = DatabaseKeeper(slow, ArchiveMetrics(CollectorRegistry()))
    started = time.monotonic()
    for number in range(5):
        await waiting.keep_envelopes([envelope(700 + number)])
        assert slow.at_once == 0
    assert time.monotonic() - started >= 5 * 0.2
    assert slow.most_at_once == 1
    assert len(await ids_in(store)) == 5


class SlowStore:
    """A store whose every insert takes its time; counts how many run at once."""

    def __init__(self, store, seconds):
        self._store, self._seconds = store, seconds
        self.at_once = self.most_at_once = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def insert(self, collection, documents):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self._seconds)
            return await self._store.insert(collection, documents)
        finally:
            self.at_once -= 1
