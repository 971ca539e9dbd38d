"""Rematching a real archive: what changes is told once, and only what changes."""

from __future__ import annotations

import asyncio
import itertools
import time

import numpy as np
import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.archive.keep import DatabaseKeeper
from services.archive.metrics import ArchiveMetrics
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.catalogs.packaged import packaged_file
from services.xmatch.rematch import command
from services.xmatch.rematch.latest import Seen, latest_rows
from services.xmatch.rematch.run import Rematch, Summary
from services.xmatch.watchlists.compiled import open_watched
from services.xmatch.watchlists.positions import ColumnNames
from services.xmatch.watchlists.register import Register
from services.xmatch.watchlists.watch import watch
from shared.alert_batch import AlertBatch
from shared.archive.history import read_histories
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.records import Envelope, Record
from shared.schemas.alert import MATCHED
from shared.schemas.update import Update
from shared.settings import ServiceSettings
from shared.store import Collection, open_store
from shared.testing.placed_alerts import alerts_at

pytestmark = pytest.mark.database
_serial = itertools.count()
NIGHT = 60_324
QUERY = {"survey": "ztf", "night": NIGHT}


class Sky:
    """A catalog that can be changed: source, version and class at one place or none."""

    def __init__(self, register):
        self.register = register
        self.version = "1"
        self.stars = {10.0: "RRAB"}

    def match(self, batch):
        """xmatch with a catalog of this test's own, and the real watchlists."""
        matches = [
            [
                {"catalog": "vsx", "catalog_version": self.version, "source_id": f"J{star}",
                 "source_class": kind, "separation_arcsec": abs(ra - star) * 3600}
                for star, kind in self.stars.items() if abs(ra - star) < 1e-3
            ]
            for ra in batch.ra_deg.tolist()
        ]  # fmt: skip
        field, latitude = MATCHED
        columns = {field: pa.array(matches, field.type),
                   latitude: pa.array(np.zeros(len(batch), np.float32))}  # fmt: skip
        current = self.register.current()
        return watch(batch.with_columns(columns), open_watched(current) if current else None)


class Archive:
    """The archive's own code on a database, and a river of this test's own."""

    def __init__(self, uri, folder):
        self.settings = ServiceSettings(
            database_uri=SecretStr(uri), database_name=f"rematch_{next(_serial)}"
        )
        self.store = open_store(self.settings)
        self.keeper = DatabaseKeeper(self.store, ArchiveMetrics(CollectorRegistry()))
        self.register = Register(folder / "watchlists")
        self.sky = Sky(self.register)
        self.offset = itertools.count()
        self.sent: list[Update] = []

    async def take(self, ra_deg, names, *, night=NIGHT, stamp_ms=1):
        """Alerts go down the river and are kept."""
        offset = next(self.offset)
        batch = alerts_at(ra_deg, [0.0] * len(ra_deg), night + 1.0, first_offset=100 * offset)
        place = batch.record_batch.schema.get_field_index("object_id")
        field = batch.record_batch.schema.field(place)
        named = batch.record_batch.set_column(place, field, pa.array(names))
        matched = self.sky.match(AlertBatch(named))
        record = Record("t.alerts.correlated", 0, offset, stamp_ms, None, write_envelope(matched))
        await self.keeper.keep_envelopes([Envelope(record, matched)])

    async def send(self, messages):
        """Kafka and the archive in one: what is sent is kept."""
        self.sent += [Update.from_json(message.value) for message in messages]
        keep = self.keeper.keep_records(Collection.UPDATES)
        await keep([
            Record("t.updates", 0, next(self.offset), 1, m.key, m.value) for m in messages
        ])  # fmt: skip

    async def rematch(self, *, catalogs=("vsx",), watched=True, is_dry=False, query=QUERY):
        run = Rematch(self.store, self.sky.match, catalogs, watched, None if is_dry else self.send)
        summary = Summary()
        rows = await latest_rows(self.store, query, Seen.nothing())
        await run.carry_out(rows, summary)
        return summary


@pytest.fixture
def archive(database, tmp_path):
    one = Archive(database.uri, tmp_path)
    yield one
    one.store.close()


async def test_nothing_has_changed_so_nothing_is_told(archive):
    await archive.take([10.0, 20.0, 30.0], ["a", "b", "c"])
    summary = await archive.rematch()
    assert (summary.objects, summary.changed, archive.sent) == (3, 0, [])


async def test_a_new_version_with_news_is_told_once(archive):
    await archive.take([10.0, 20.0, 30.0], ["a", "b", "c"])
    archive.sky.version, archive.sky.stars = "2", {10.0: "EW", 20.0001: "M"}
    summary = await archive.rematch(is_dry=True)
    assert (summary.changed, archive.sent) == (2, [])
    summary = await archive.rematch()
    assert summary.changes == {("vsx", "changed"): 1, ("vsx", "added"): 1}
    by_object = {update.object_id: update for update in archive.sent}
    (change,) = by_object["a"].changes
    assert (change.version_before, change.version_after) == ("1", "2")
    assert by_object["b"].matches[0]["source_class"] == "M"
    again = await archive.rematch()
    assert (again.objects, again.changed, len(archive.sent)) == (3, 0, 2)
    # And back: what was told counts, not what the alert once said.
    archive.sky.version, archive.sky.stars = "3", {10.0: "EW"}
    assert (await archive.rematch()).changes == {("vsx", "removed"): 1}
    assert (await archive.rematch()).changed == 0


async def test_the_object_shows_what_was_told(archive):
    await archive.take([10.0], ["a"])
    archive.sky.stars = {}
    await archive.rematch()
    (history,) = await read_histories(archive.store, "a")
    assert history.updates[0].changes[0].what == "removed"


async def test_an_object_is_matched_where_its_latest_alert_saw_it(archive):
    await archive.take([10.0, 50.0], ["moves", "stays"], stamp_ms=1)
    await archive.take([20.0], ["moves"], stamp_ms=2)
    archive.sky.stars = {10.0: "EW", 20.0: "M"}
    summary = await archive.rematch()
    assert (summary.objects, summary.changed) == (2, 1)
    assert (archive.sent[0].ra_deg, archive.sent[0].matches[0]["source_id"]) == (20.0, "J20.0")


async def test_older_nights_do_not_speak_of_objects_seen_since(archive):
    await archive.take([10.0], ["a"], night=NIGHT)
    await archive.take([10.0], ["a"], night=NIGHT + 1)
    seen = Seen.nothing()
    later = await latest_rows(archive.store, {**QUERY, "night": NIGHT + 1}, seen)
    earlier = await latest_rows(archive.store, QUERY, seen)
    assert [sum(map(len, rows.values())) for rows in (later, earlier)] == [1, 0]


async def test_a_catalog_not_judged_keeps_its_matches(archive):
    await archive.take([10.0], ["a"])
    archive.sky.stars = {}
    assert (await archive.rematch(catalogs=("gcvs",))).changed == 0


async def test_a_new_watchlist_finds_the_objects_of_last_week(archive, tmp_path):
    await archive.take([10.0, 20.0], ["a", "b"])
    path = tmp_path / "mine.csv"
    path.write_text("name,ra,dec\nmy star,20,0\n")
    archive.register.add(path, name="mine", owner="ann", is_public=False, names=ColumnNames())
    assert (await archive.rematch(watched=False)).changed == 0
    summary = await archive.rematch()
    assert summary.changes == {("mine", "added"): 1}
    (change,) = archive.sent[0].changes
    assert (change.source_id, change.owner, change.is_public) == ("my star", "ann", False)
    assert (await archive.rematch()).changed == 0


@pytest.mark.kafka
async def test_the_command_waits_for_the_archive_and_then_says_so(kafka, database, tmp_path):
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"rematch{time.time_ns()}.",
        database_uri=SecretStr(database.uri), state_dir=tmp_path,
    )  # fmt: skip
    await ensure_topics(settings, mesh_topics(settings))
    topic = f"{settings.topic_prefix}updates"
    await command.archive_has_kept(settings, topic, 5.0)
    outbox = command.Outbox(settings)
    await outbox.send(topic, [command.Message(b"{}", key=b"a")])
    await outbox.stop()
    with pytest.raises(command.UpstreamUnavailableError, match="yet to keep 1 updates"):
        await command.archive_has_kept(settings, topic, 10.0)


@pytest.mark.kafka
async def test_the_command_finds_the_galaxy_an_alert_was_not_told_of(
    kafka, database, tmp_path, monkeypatch, capsys
):
    try:
        packaged_file(CATALOGS["openngc"])
    except CatalogUnavailableError as error:
        pytest.skip(str(error))
    archive = Archive(database.uri, tmp_path)
    archive.sky.stars = {}
    await archive.take([0.8143], ["sn"])  # on the equator: nothing there, then as now
    batch = archive.sky.match(alerts_at([0.8143], [16.1457], NIGHT + 1.0, first_offset=900))
    record = Record("t.alerts.correlated", 0, 99, 1, None, write_envelope(batch))
    await archive.keeper.keep_envelopes([Envelope(record, batch)])
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"verb{time.time_ns()}.",
        database_uri=SecretStr(database.uri), database_name=archive.settings.database_name,
    )  # fmt: skip
    await ensure_topics(settings, mesh_topics(settings))
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "DATABASE_URI": database.uri,
        "DATABASE_NAME": settings.database_name, "TOPIC_PREFIX": settings.topic_prefix,
        "STATE_DIR": str(tmp_path), "XMATCH_CATALOGS": "openngc",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TOCSIN_{name}", value)
    since = ["--since", str(NIGHT)]
    assert await asyncio.to_thread(command.main, [*since, "--dry-run"]) == 0
    assert "2 objects matched again, 1 would be told" in capsys.readouterr().out
    assert await asyncio.to_thread(command.main, since) == 0
    assert "2 objects matched again, 1 told as updates" in capsys.readouterr().out
    assert await asyncio.to_thread(command.main, [*since, "--catalog", "nope"]) == 2
    assert "no catalog 'nope' is open; open are: openngc" in capsys.readouterr().err
    monkeypatch.setattr(command, "_ARCHIVE_PATIENCE_S", 1.0)
    assert await asyncio.to_thread(command.main, since) == 2
    assert "the archive has yet to keep 1 updates" in capsys.readouterr().err
    archive.store.close()
