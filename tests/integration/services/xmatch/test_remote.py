"""The remote enricher on a real database, a real Kafka, and servers that speak the protocols."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from services.xmatch.remote import SERVICES
from services.xmatch.remote.asking import Asker, AskLimits, open_client
from services.xmatch.remote.enrich import Enricher, Patience
from services.xmatch.remote.memory import Memory
from services.xmatch.remote.pacing import CircuitBreaker, TokenBucket
from services.xmatch.remote.wanted import Wanted
from shared.alert_batch import AlertBatch
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic, out_topic
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.update import Update
from shared.settings import ServiceSettings
from shared.store import Collection, open_store
from shared.testing.placed_alerts import alerts_at
from shared.testing.sky_services import sky_services

pytestmark = pytest.mark.database
ROOT = Path(__file__).parents[4]
_serial = itertools.count()
SN = Wanted("ztf", "ZTF21abiuvdk", "1", 0.8143, 16.1457)
NOTHING = Wanted("ztf", "ZTF21nothing", "2", 200.0, 45.0)


class Bench:
    """An enricher of one table, its memory, and what it has sent."""

    def __init__(self, store, sky, client, service="simbad", **patience):
        self.sent: list[Update] = []
        self.store, self.sky = store, sky
        self.memory = Memory(store, keep_days=7, most_answers=10, most_questions=30)
        one = SERVICES[service]
        url = sky.xmatch_url if service == "cds_xmatch" else sky.tap_url
        asker = Asker(
            client, url, TokenBucket(1_000, 10), CircuitBreaker(3, 0.3, 0.3),
            AskLimits(budget_s=12, try_s=4, tries=2, first_pause_s=0.01),
        )  # fmt: skip
        self.enricher = Enricher(
            one, one.tables["simbad"], asker, self.memory, self.send,
            Patience(**{"pause_s": 0.05, "longest_pause_s": 0.1, **patience}), 100,
        )  # fmt: skip

    async def send(self, messages):
        self.sent += [Update.from_json(message.value) for message in messages]

    async def want(self, *wanted):
        return await self.memory.add([self.enricher.name], wanted, _now_ms())

    async def rounds(self, until, most=40):
        for _ in range(most):
            outcome = await self.enricher.round()
            if until(outcome):
                return outcome
            await asyncio.sleep(0.02)
        pytest.fail(f"after {most} rounds: {outcome}")


def _now_ms():
    return int(time.time() * 1000)


@pytest.fixture(params=["simbad", "cds_xmatch"])
async def bench(request, database):
    name = f"remote_test_{next(_serial)}"
    store = open_store(ServiceSettings(database_uri=SecretStr(database.uri), database_name=name))
    async with sky_services() as sky, open_client() as client:
        await store.prepare()
        yield lambda **patience: Bench(store, sky, client, request.param, **patience)
    store.close()


async def test_answers_become_updates_and_nothing_is_left_to_ask(bench):
    one = bench()
    await one.want(SN, NOTHING)
    outcome = await one.enricher.round()
    assert (outcome.asked, outcome.updates) == (2, 2)
    by_object = {update.object_id: update for update in one.sent}
    matches = by_object["ZTF21abiuvdk"].matches
    assert [match["source_id"] for match in matches] == ["SN 2021rhu"]  # NGC 7814 is 6.5" away
    assert matches[0]["separation_arcsec"] < 0.01
    assert by_object["ZTF21nothing"].matches == ()
    assert one.sent[0].source == one.enricher.name
    assert one.sent[0].service_url.startswith("http://127.0.0.1")
    assert one.sent[0].answered_ms >= one.sent[0].asked_ms > 0
    assert await one.memory.waiting(one.enricher.name) == 0
    assert (await one.enricher.round()).is_idle


async def test_a_place_is_asked_about_once_and_each_object_is_told_once(bench):
    one = bench()
    await one.want(SN)
    await one.enricher.round()
    beside = Wanted("ztf", "beside", "3", SN.ra_deg + 2e-6, SN.dec_deg)
    await one.want(beside, Wanted("ztf", SN.object_id, "4", SN.ra_deg, SN.dec_deg))
    outcome = await one.enricher.round()
    assert (outcome.asked, outcome.from_memory, outcome.updates) == (0, 2, 1)
    assert [update.object_id for update in one.sent] == [SN.object_id, "beside"]
    assert one.sent[1].matches[0]["source_id"] == "SN 2021rhu"
    assert len(one.sky.requests) == 1


async def test_the_memory_is_the_databases_and_survives_us(bench):
    one = bench()
    await one.want(SN)
    again = bench()
    await again.rounds(lambda outcome: outcome.updates == 1)
    third = bench()
    await third.want(SN)
    outcome = await third.enricher.round()
    assert (outcome.asked, outcome.from_memory, third.sent) == (0, 1, [])


@pytest.mark.parametrize("trouble", ["500", "slow", "cut", "429:1", "malformed", "cut_silently"])
async def test_after_any_trouble_the_answer_comes_in_the_end(bench, trouble):
    one = bench()
    one.sky.plan = [trouble] * (1 if trouble == "slow" else 3)
    await one.want(SN)
    await one.rounds(lambda outcome: outcome.updates == 1, most=200)
    assert one.sent[0].matches[0]["source_id"] == "SN 2021rhu"


async def test_a_question_that_is_always_refused_is_given_up(bench):
    one = bench(attempts=2)
    one.sky.plan = ["400"] * 50
    await one.want(SN)
    await one.rounds(lambda outcome: outcome.given_up == 1)
    assert await one.memory.waiting(one.enricher.name) == 0
    assert len(one.sky.requests) == 2


async def test_a_service_that_is_down_does_not_use_up_attempts(bench):
    one = bench(attempts=1)
    one.sky.plan = ["503"] * 8
    await one.want(SN)
    await one.rounds(lambda outcome: outcome.updates == 1, most=300)


async def test_a_question_too_old_is_given_up(bench):
    one = bench(give_up_days=0.0)
    await one.want(SN)
    await asyncio.sleep(0.01)
    assert (await one.enricher.round()).given_up == 1
    assert one.sky.requests == []


async def test_an_overflow_is_asked_again_in_halves(bench):
    one = bench()
    many = [Wanted("ztf", f"o{n}", str(n), 10.0 + n, 5.0) for n in range(9)]
    await one.want(*many)
    one.sky.plan = ["overflow"] if one.enricher.name.startswith("simbad") else ["oversized"]
    await one.rounds(lambda _: len(one.sent) == 9)
    assert one.sky.positions[:2] == [9, 4]


async def test_questions_and_answers_are_bounded(bench):
    one = bench()
    many = [Wanted("ztf", f"o{n}", str(n), 10.0 + n, 5.0) for n in range(40)]
    assert await one.want(*many) == 10
    assert await one.want(SN) == 1
    await one.rounds(lambda _: len(one.sent) == 30)
    assert await one.store.count(Collection.REMOTE_ANSWERS, {}) == 30
    await one.memory.prune(_now_ms())
    assert await one.store.count(Collection.REMOTE_ANSWERS, {}) <= 10


def bright(object_id, *, flux_njy=1e9, is_simulated=False):
    batch = alerts_at([0.8143], [16.1457], is_simulated=is_simulated).record_batch
    for name, value in {"object_id": object_id, "flux_njy": flux_njy, "reliability": 0.9}.items():
        place = batch.schema.get_field_index(name)
        field = batch.schema.field(place)
        batch = batch.set_column(place, field, pa.array([value], field.type))
    return AlertBatch(batch)


def start_worker(environment, folder):
    with (folder / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.xmatch.remote"],
            stdout=log, stderr=log, cwd=ROOT, env=environment,
        )  # fmt: skip


@pytest.mark.kafka
async def test_the_worker_asks_about_bright_and_filtered_alerts_and_no_others(
    kafka, database, tmp_path
):
    prefix = f"remote{time.time_ns()}."
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix, state_dir=tmp_path
    )
    out = out_topic("mine", prefix)
    await ensure_topics(settings, [*mesh_topics(settings), out])
    outbox = Outbox(settings)
    envelopes = [bright("bright"), bright("faint", flux_njy=1.0), bright("made", is_simulated=True)]
    await outbox.send(
        Topic.CORRELATED.named(prefix), [Message(write_envelope(e), partition=0) for e in envelopes]
    )
    filtered = encode_alerts(bright("filtered", flux_njy=1.0).record_batch)
    await outbox.send(out, [Message(value, key=b"k") for value in filtered])
    await outbox.stop()
    async with sky_services() as sky:
        environment = {
            **os.environ,
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "TOCSIN_TOPIC_PREFIX": prefix,
            "TOCSIN_STATE_DIR": str(tmp_path),
            "TOCSIN_DATABASE_URI": database.uri,
            "TOCSIN_DATABASE_NAME": f"remote_worker_{next(_serial)}",
            "TOCSIN_REMOTE_ENABLED": "true",
            "TOCSIN_REMOTE_TABLES": "simbad/simbad",
            "TOCSIN_REMOTE_URLS": f"simbad={sky.tap_url}",
            "TOCSIN_REMOTE_POLL_S": "0.2",
        }
        worker = start_worker(environment, tmp_path)
        try:
            updates = await _updates(settings, 2)
        except TimeoutError:
            pytest.fail((tmp_path / "worker.log").read_text()[-3000:])
        finally:
            worker.terminate()
            await asyncio.to_thread(worker.wait, 40)
    assert sorted(update.object_id for update in updates) == ["bright", "filtered"]
    assert {update.matches[0]["source_id"] for update in updates} == {"SN 2021rhu"}


async def _updates(settings, count):
    consumer = AIOKafkaConsumer(
        Topic.UPDATES.named(settings.topic_prefix),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        return [
            Update.from_json((await asyncio.wait_for(consumer.getone(), 90)).value)
            for _ in range(count)
        ]
    finally:
        await consumer.stop()
