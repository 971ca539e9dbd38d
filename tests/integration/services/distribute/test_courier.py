"""The courier's process on a real Kafka and database: peers that are away, and kill -9."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from shared.kafka.admin import KafkaAdmin, ensure_topics
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic, out_topic
from shared.local.server_process import free_port
from shared.schemas.avro.encode import encode_alerts
from shared.settings import ServiceSettings
from shared.store import Collection, open_store
from shared.subscriptions.secrets import KEY_FILE, Sealer
from shared.subscriptions.subscription import Subscription
from shared.testing.associations import association
from shared.testing.published import published_batch
from shared.testing.tns_server import KEY, TnsServer

pytestmark = [pytest.mark.kafka, pytest.mark.database]
ROOT = Path(__file__).parents[4]
SIGNING_KEY = "a signing key of the tests"
TNS = {
    "bot_id": 7, "bot_name": "tocsin_bot", "reporting_group_id": 103, "data_source_id": 165,
    "reporter": "A. Nova (Tests)",
}  # fmt: skip


class Office:
    """A courier's process with its own topics and database."""

    def __init__(self, kafka, database, folder):
        self.folder = folder
        self.settings = ServiceSettings(
            kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"{folder.name}.",
            database_uri=database.uri, database_name=folder.name[:40], state_dir=folder,
        )  # fmt: skip
        self.store = open_store(self.settings)
        self.sealer = Sealer.from_file(folder / KEY_FILE)
        self.http_port = free_port()
        self.log = folder / "courier.log"
        self.process = None

    def start(self, **more):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "TOCSIN_TOPIC_PREFIX": self.settings.topic_prefix,
            "TOCSIN_DATABASE_URI": self.settings.database_uri.get_secret_value(),
            "TOCSIN_DATABASE_NAME": self.settings.database_name,
            "TOCSIN_STATE_DIR": str(self.folder),
            "TOCSIN_HTTP_PORT": str(self.http_port),
            "TOCSIN_COURIER_ALLOW_PRIVATE": "true",
            "TOCSIN_COURIER_FIRST_RETRY_S": "0.2",
            "TOCSIN_COURIER_LAST_RETRY_S": "0.5",
            "TOCSIN_COURIER_DOUBT_S": "1",
            "TOCSIN_TNS_DOUBT_S": "1",
            **more,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.distribute.courier"],
                env=environment, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip

    def end(self, how=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    async def subscribe(self, number, channel, source, settings, secret=None, **more):
        subscription = Subscription(
            subscription_id=f"{number:012x}", name="test", source=source, channel=channel,
            settings=settings, owner="tests", created_ms=int(time.time() * 1000),
            sealed_secret=self.sealer.seal(secret) if secret else None, rate_per_minute=6000,
            **more,
        )  # fmt: skip
        await self.store.insert(Collection.SUBSCRIPTIONS, [subscription.to_document()])
        return subscription.subscription_id

    async def send(self, topic, messages):
        outbox = Outbox(self.settings)
        await outbox.send(topic, messages)
        await outbox.stop()

    async def deliveries(self, subscription, **query):
        wanted = {"subscription_id": subscription} | query
        return await self.store.find(Collection.DELIVERIES, wanted, sort=(("_id", 1),))


@pytest.fixture
async def office(kafka, database, tmp_path):
    office = Office(kafka, database, tmp_path)
    prefix = office.settings.topic_prefix
    names = [out_topic("bright", prefix), *(t.named(prefix) for t in Topic)]
    await ensure_topics(office.settings, names)
    try:
        yield office
    finally:
        office.end(signal.SIGKILL)
        office.store.close()


@contextlib.asynccontextmanager
async def served(app, port):
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def until(condition, office, seconds=150.0):
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, office.log.read_text()[-4000:]
        await asyncio.sleep(0.2)


def alerts(count, first=0):
    # Fluxes are positive, so that each is a discovery.
    changes = {
        "flux_njy": [20000.0 + n for n in range(count)],
        "object_id": [f"ZTF26aaaaaa{chr(97 + first + n)}" for n in range(count)],
    }
    batch = published_batch(count, first_offset=first, changes=changes)
    rows = zip(
        encode_alerts(batch.record_batch), batch.record_batch["object_id"].to_pylist(), strict=True
    )
    return [Message(value, name.encode(), 0) for value, name in rows]


async def test_nothing_is_lost_while_a_peer_is_down_nor_when_the_courier_is_killed(office):
    port = free_port()
    taken = []

    async def take(request):
        taken.append((request.headers["Idempotency-Key"], await request.json()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    url = {"url": f"http://127.0.0.1:{port}/hook"}
    name = await office.subscribe(1, "webhook", "out.bright", url, SIGNING_KEY)
    topic = out_topic("bright", office.settings.topic_prefix)
    office.start()
    await office.send(topic, alerts(5))

    async def queued():
        found = await office.deliveries(name)
        return len(found) == 5 and any(d["tries"] for d in found)

    await until(queued, office)  # the peer is down, and was tried
    office.end(signal.SIGKILL)
    await office.send(topic, alerts(5, first=5))  # the courier is down too
    office.start()

    async def confirmed(count=10):
        return len(await office.deliveries(name, state="confirmed")) == count

    async with served(app, port):
        await until(confirmed, office)
        office.end(signal.SIGTERM)
    keys = [key for key, _ in taken]
    assert len(set(keys)) == 10
    assert len(keys) == 10
    objects = {body["data"]["object_id"] for _, body in taken}
    assert objects == {f"ZTF26aaaaaa{chr(97 + n)}" for n in range(10)}
    records = await office.deliveries(name)
    assert all(d["payload"] is None and d["settled_ms"] for d in records)
    log = office.log.read_text()
    assert SIGNING_KEY not in log
    assert "line_died" not in log


async def test_no_object_is_reported_twice_though_the_courier_is_killed_while_it_reports(office):
    server = TnsServer(hang_after=1)
    port = free_port()
    name = await office.subscribe(2, "tns", "out.bright", TNS, KEY)
    where = {"TOCSIN_TNS_URL": f"http://127.0.0.1:{port}/api"}
    topic = out_topic("bright", office.settings.topic_prefix)
    async with served(server.application(), port):
        office.start(**where)
        await office.send(topic, alerts(3))

        async def reported():
            return bool(server.reports)

        await until(reported, office)
        office.end(signal.SIGKILL)  # TNS has it; the courier never heard so
        (state,) = {d["state"] for d in await office.deliveries(name)}
        assert state == "sending"
        await office.send(topic, alerts(3))  # later alerts of the same objects
        office.start(**where)

        async def settled():
            return len(await office.deliveries(name, state="confirmed")) == 3

        await until(settled, office)
        await asyncio.sleep(2.0)
        office.end()
    assert [server.times_reported(f"ZTF26aaaaaa{letter}") for letter in "abc"] == [1, 1, 1]
    assert len(await office.deliveries(name)) == 3
    assert KEY not in office.log.read_text()


async def test_hermes_messages_are_read_by_hop_and_found_after_a_crash(office):
    hop = pytest.importorskip("hop", reason="pip install '.[clients-check]'")
    topic = f"{office.folder.name}.hermes"
    await ensure_topics(office.settings, [topic])
    settings = {"topic": topic, "submitter": "tests", "title": "Candidate"}
    name = await office.subscribe(3, "hermes", "associations", settings)
    office.start(
        TOCSIN_HERMES_BOOTSTRAP_SERVERS=office.settings.kafka_bootstrap_servers,
        TOCSIN_HERMES_SECURITY_PROTOCOL="PLAINTEXT",
    )
    source = Topic.ASSOCIATIONS.named(office.settings.topic_prefix)
    messages = [Message(association(alert_id=str(n)).to_json(), b"k", 0) for n in range(3)]
    await office.send(source, messages)

    async def confirmed():
        return len(await office.deliveries(name, state="confirmed")) == 3

    await until(confirmed, office)
    office.end(signal.SIGKILL)
    # As if the last record had not been written: the topic's end is searched first.
    last = (await office.deliveries(name))[-1]["_id"]
    change = {"state": "sending", "next_try_ms": 0, "payload": b"{}"}
    await office.store.update(Collection.DELIVERIES, {last: {"$set": change}})
    office.start(
        TOCSIN_HERMES_BOOTSTRAP_SERVERS=office.settings.kafka_bootstrap_servers,
        TOCSIN_HERMES_SECURITY_PROTOCOL="PLAINTEXT",
    )
    await until(confirmed, office)
    office.end()

    def read():
        servers = office.settings.kafka_bootstrap_servers
        stream = hop.io.Stream(auth=False, start_at=hop.io.StartPosition.EARLIEST)
        with stream.open(f"kafka://{servers}/{topic}", "r", ignoretest=False) as opened:
            return list(itertools.islice(opened.read(metadata=True), 3))

    async with KafkaAdmin(office.settings) as admin:
        assert sum((await admin.end_offsets([topic])).values()) == 3
    async with asyncio.timeout(90):
        heard = await asyncio.to_thread(read)
    assert {m.content["data"]["event_id"] for m, _ in heard} == {"GRB261122A"}
    assert heard[0][0].content["title"] == "Candidate: ZTF26abcdefg"
    assert all(dict(metadata.headers)["_test"] == b"true" for _, metadata in heard)


async def test_what_cannot_be_read_is_a_failed_delivery_and_a_foreign_key_pauses(office):
    name = await office.subscribe(4, "webhook", "out.bright", {"url": "http://127.0.0.1:1/"},
                                  SIGNING_KEY)  # fmt: skip
    other = Sealer.from_file(office.folder / "another.key").seal(SIGNING_KEY)
    foreign = Subscription(
        subscription_id="0" * 12, name="x", source="voevents", channel="slack", owner="tests",
        created_ms=1, sealed_secret=other,
    )  # fmt: skip
    await office.store.insert(Collection.SUBSCRIPTIONS, [foreign.to_document()])
    office.start()
    topic = out_topic("bright", office.settings.topic_prefix)
    await office.send(topic, [Message(b"\x00\x7f\xff\xff\xffnonsense", b"k", 0)])

    async def failed():
        return bool(await office.deliveries(name, state="failed"))

    await until(failed, office)
    (record,) = await office.deliveries(name)
    assert "bad_message" in record["reason"]
    found = await office.store.find_one(Collection.SUBSCRIPTIONS, {"_id": "0" * 12})
    assert found["state"] == "paused"
    assert "another key" in found["reason"]
    page = f"http://127.0.0.1:{office.http_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(page) as answer:
        metrics = await answer.text()
    assert 'tocsin_courier_subscriptions{channel="webhook"} 1.0' in metrics
    assert json.dumps(found, default=str).find(SIGNING_KEY) < 0
