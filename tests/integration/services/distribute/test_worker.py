"""distribute on a real Kafka: every wanted alert on its topic, once, whatever happens to it."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import fastavro
import pytest
import voeventparse
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.distribute.channels import channels
from services.distribute.deliver import DELIVERY_ID
from services.distribute.delivered import Delivered
from services.distribute.dispatch import Dispatch
from services.distribute.metrics import DistributeMetrics
from services.distribute.out_topics import OutTopics
from shared.kafka.admin import KafkaAdmin, ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.recent import recent_headers
from shared.kafka.records import Message
from shared.kafka.topics import Topic, out_topic
from shared.schemas.association import Association
from shared.schemas.avro.schema import alert_schema
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings
from shared.telemetry.metrics import ServiceMetrics
from shared.testing.published import published_batch

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[4]
PARSED = fastavro.parse_schema(alert_schema())
ENVELOPE = 25
FILTERS = """
[[filter]]
name = "positive"
description = "About three in four"
owner = "tests"
where = "flux_njy > 0"

[[filter]]
name = "reliable"
description = "About half"
owner = "tests"
where = "reliability > 0.5"
"""


class Mesh:
    """The topics of one test on the session's Kafka."""

    def __init__(self, servers: str, name: str, folder: Path) -> None:
        self.settings = ServiceSettings(
            kafka_bootstrap_servers=servers, topic_prefix=f"{name}.", state_dir=folder
        )
        self.folder = folder
        self.environment: dict[str, str] = {}
        (folder / "filters.toml").write_text(FILTERS)

    def topic(self, topic: Topic) -> str:
        return topic.named(self.settings.topic_prefix)

    def out(self, name: str) -> str:
        return out_topic(name, self.settings.topic_prefix)

    async def send(self, topic: Topic, messages: list[Message]) -> None:
        outbox = Outbox(self.settings)
        await outbox.send(self.topic(topic), messages)
        await outbox.stop()

    async def fill(self, alerts: int) -> dict[str, set[str]]:
        """Fill the river; returns the alert ids each filter must give."""
        await ensure_topics(self.settings, mesh_topics(self.settings))
        wanted: dict[str, set[str]] = {"positive": set(), "reliable": set()}
        messages = []
        for start in range(0, alerts, ENVELOPE):
            survey = "lsst" if start % 100 == 0 else "ztf"
            batch = published_batch(ENVELOPE, survey=survey, seed=start, first_offset=start)
            for row in batch.record_batch.select(
                ["alert_id", "flux_njy", "reliability"]
            ).to_pylist():
                if row["flux_njy"] > 0:
                    wanted["positive"].add(row["alert_id"])
                if row["reliability"] > 0.5:
                    wanted["reliable"].add(row["alert_id"])
            messages.append(Message(write_envelope(batch), partition=(start // ENVELOPE) % 2))
        await self.send(Topic.CORRELATED, messages)
        return wanted

    def worker(self) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "TOCSIN_TOPIC_PREFIX": self.settings.topic_prefix,
            "TOCSIN_STATE_DIR": str(self.folder),
            "TOCSIN_FILTERS_FILE": str(self.folder / "filters.toml"),
            "TOCSIN_MAX_ENVELOPES_PER_TAKE": "4",
            "TOCSIN_FILTERS_FROM_DATABASE": "false",
            **self.environment,
        }
        log = (self.folder / "worker.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "services.distribute"],
            env=environment, cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip

    async def messages(self, topic: str) -> list:
        async with KafkaAdmin(self.settings) as admin:
            ends = await admin.end_offsets([topic])
        if not any(ends.values()):
            return []
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(*place) for place in ends])
            found: list = []
            while len(found) < sum(ends.values()):
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    found += messages
            return found
        finally:
            await consumer.stop()

    async def ids(self, name: str) -> Counter[str]:
        return Counter(
            dict(m.headers)["alert_id"].decode() for m in await self.messages(self.out(name))
        )

    async def wait_for(self, wanted: dict[str, set[str]], timeout_s: float = 90) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if all([set(await self.ids(name)) >= ids for name, ids in wanted.items()]):
                return
            await asyncio.sleep(0.5)
        raise AssertionError((self.folder / "worker.log").read_text()[-3000:])


@pytest.fixture
def mesh(kafka, tmp_path, request) -> Mesh:
    return Mesh(kafka.bootstrap_servers, request.node.name, tmp_path)


async def test_every_wanted_alert_once_through_kill_9(mesh: Mesh) -> None:
    wanted = await mesh.fill(10_000)
    for _ in range(2):
        worker = mesh.worker()
        before = sum((await mesh.ids("positive")).values())
        while sum((await mesh.ids("positive")).values()) < before + 200:
            assert worker.poll() is None, (mesh.folder / "worker.log").read_text()[-3000:]
            await asyncio.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert len(await mesh.ids("positive")) < len(wanted["positive"]), "killed too late"
    worker = mesh.worker()
    try:
        await mesh.wait_for(wanted)
    finally:
        worker.terminate()
        worker.wait(40)
    for name, ids in wanted.items():
        assert await mesh.ids(name) == Counter(ids)
    for message in (await mesh.messages(mesh.out("positive")))[:200]:
        alert = fastavro.schemaless_reader(io.BytesIO(message.value[5:]), PARSED)
        assert alert["flux_njy"] > 0
        assert alert["object_id"].encode() == message.key


async def test_voevents_once_and_what_is_no_association_to_the_dead_letters(mesh: Mesh) -> None:
    await ensure_topics(mesh.settings, mesh_topics(mesh.settings))
    association = Association.model_validate(ASSOCIATION)
    good = Message(association.to_json(), association.key)
    await mesh.send(Topic.ASSOCIATIONS, [good, Message(b"{}", association.key), good])
    worker = mesh.worker()
    try:
        deadline = time.monotonic() + 60
        while not (
            await mesh.messages(mesh.topic(Topic.VOEVENTS))
            and await mesh.messages(mesh.topic(Topic.DEAD_LETTERS))
        ):
            assert time.monotonic() < deadline, (mesh.folder / "worker.log").read_text()[-3000:]
            await asyncio.sleep(0.3)
        await asyncio.sleep(1)
    finally:
        worker.terminate()
        worker.wait(40)
    (message,) = await mesh.messages(mesh.topic(Topic.VOEVENTS))
    assert message.key == b"S230518h"
    assert voeventparse.valid_as_v2_0(voeventparse.loads(message.value))
    (letter,) = await mesh.messages(mesh.topic(Topic.DEAD_LETTERS))
    assert DeadLetter.from_json(letter.value).reason == "bad_association"


async def test_a_fresh_process_sends_nothing_again(mesh: Mesh) -> None:
    """What a crash between send and commit comes to: the same take, and no memory."""
    topic = mesh.out("positive")
    outgoing = {
        topic: [
            Message(b"x" * 1000, b"k", n % 2, ((DELIVERY_ID, f"t/0/{n}".encode()),))
            for n in range(300)
        ]
    }
    await OutTopics(mesh.settings, [topic], 24.0).ensure()

    async def read_tail(places, count):
        found = await recent_headers(mesh.settings, places, count)
        return {place: [dict(h)[DELIVERY_ID] for h in headers] for place, headers in found.items()}

    sent = []
    for _ in range(3):
        outbox = Outbox(mesh.settings)
        metrics = DistributeMetrics(ServiceMetrics("distribute").registry)
        dispatch = Dispatch(channels(outbox.send), Delivered(200, read_tail), metrics)
        sent.append(await dispatch.send(outgoing))
        await outbox.stop()
    assert sent == [300, 0, 0]
    found = Counter(dict(m.headers)[DELIVERY_ID] for m in await mesh.messages(topic))
    assert found == Counter(f"t/0/{n}".encode() for n in range(300))


ASSOCIATION = {
    "state": "new", "event_id": "S230518h", "notice_id": "ab" * 16, "notice_type": "lvk",
    "messenger": "gravitational_wave", "event_version": 1, "event_role": "observation",
    "event_time": "2023-05-18T12:59:08.167Z", "event_mjd_tai": 60082.5415, "role": "test",
    "is_simulated": True, "credible_level": 0.5, "time_offset_days": 1.5, "survey": "ztf",
    "alert_id": "1", "object_id": "ZTF23a", "ra_deg": 10.0, "dec_deg": -20.0, "mjd_tai": 60084.0,
    "first_detection_mjd_tai": 60084.0, "origin_topic": "ztf_alerts", "origin_partition": 0,
    "origin_offset": 1,
}  # fmt: skip
