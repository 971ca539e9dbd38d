"""What the river loses when its workers are killed, stopped or wrong: nothing, id by id."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka.admin import KafkaAdmin, ensure_topics, mesh_topics
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings
from shared.testing.batches import made_up_batch

pytestmark = pytest.mark.kafka
WORKER = Path(__file__).with_name("river_worker.py")
ROOT = Path(__file__).parents[2]
ENVELOPE = 20


class Mesh:
    """One river of its own on the session's Kafka."""

    def __init__(self, servers: str, name: str, folder: Path) -> None:
        self.settings = ServiceSettings(
            kafka_bootstrap_servers=servers, topic_prefix=f"{name}.", state_dir=folder
        )
        self.folder = folder

    async def fill(self, alerts: int) -> set[str]:
        await ensure_topics(self.settings, mesh_topics(self.settings))
        outbox = Outbox(self.settings)
        ids: set[str] = set()
        messages = []
        for start in range(0, alerts, ENVELOPE):
            batch = made_up_batch(ENVELOPE, seed=start, first_offset=start)
            ids.update(batch.strings("alert_id"))
            messages.append(Message(write_envelope(batch), partition=(start // ENVELOPE) % 2))
        await outbox.send(self.topic(Topic.ALERTS), messages)
        await outbox.stop()
        return ids

    def topic(self, topic: Topic) -> str:
        return topic.named(self.settings.topic_prefix)

    def worker(self, fault: str = "none") -> subprocess.Popen[bytes]:
        log = (self.folder / "worker.log").open("ab")
        arguments = [
            sys.executable, str(WORKER), self.settings.kafka_bootstrap_servers,
            self.settings.topic_prefix, fault, str(self.folder),
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(arguments, stderr=log, stdout=log, cwd=ROOT, env=environment)

    async def values(self, topic: Topic) -> list[bytes]:
        async with KafkaAdmin(self.settings) as admin:
            ends = await admin.end_offsets([self.topic(topic)])
        if not any(ends.values()):
            return []
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(*place) for place in ends])
            found: list[bytes] = []
            while len(found) < sum(ends.values()):
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    found += [m.value for m in messages]
            return found
        finally:
            await consumer.stop()

    async def ids_out(self) -> Counter[str]:
        out: Counter[str] = Counter()
        for value in await self.values(Topic.MATCHED):
            out.update(read_envelope(value).strings("alert_id"))
        return out

    async def wait_for(self, ids: set[str], timeout_s: float = 90.0) -> Counter[str]:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            out = await self.ids_out()
            if ids <= set(out):
                return out
            await asyncio.sleep(0.5)
        raise AssertionError(f"{len(ids - set(out))} of {len(ids)} alerts did not come out")


@pytest.fixture
def mesh(kafka, tmp_path, request) -> Mesh:
    name = request.node.name.replace("[", "-").replace("]", "")
    return Mesh(kafka.bootstrap_servers, name, tmp_path)


async def test_kill_9_in_mid_stream_loses_nothing(mesh: Mesh) -> None:
    ids = await mesh.fill(12_000)
    for _ in range(2):
        worker = mesh.worker()
        before = len(await mesh.ids_out())
        while len(await mesh.ids_out()) < before + 500:
            assert worker.poll() is None, (mesh.folder / "worker.log").read_text()[-3000:]
            await asyncio.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert len(await mesh.ids_out()) < len(ids), "killed too late to prove anything"
    worker = mesh.worker()
    try:
        out = await mesh.wait_for(ids)
    finally:
        worker.terminate()
        worker.wait(40)
    assert set(out) == ids


async def test_sigterm_finishes_the_take_and_repeats_nothing(mesh: Mesh) -> None:
    ids = await mesh.fill(8_000)
    for _ in range(2):
        worker = mesh.worker()
        before = len(await mesh.ids_out())
        while len(await mesh.ids_out()) < before + 500:
            await asyncio.sleep(0.05)
        worker.terminate()
        assert worker.wait(40) == 0
    worker = mesh.worker()
    try:
        out = await mesh.wait_for(ids)
    finally:
        worker.terminate()
        worker.wait(40)
    assert set(out) == ids
    assert max(out.values()) == 1


async def test_a_bug_sets_aside_its_alerts_alone(mesh: Mesh) -> None:
    ids = await mesh.fill(2_000)
    culprits = {i for i in ids if int(i) % 37 == 0}
    worker = mesh.worker("bug")
    try:
        out = await mesh.wait_for(ids - culprits)
    finally:
        worker.terminate()
        worker.wait(40)
    letters = [DeadLetter.from_json(v) for v in await mesh.values(Topic.DEAD_LETTERS)]
    assert set(out) == ids - culprits
    assert {letter.alert_id for letter in letters} == culprits
    assert all(letter.reason == "bug" and letter.traceback for letter in letters)
    one = read_envelope(letters[0].payload or b"")
    assert one.strings("alert_id") == [letters[0].alert_id]


async def test_an_outage_waits_and_loses_nothing(mesh: Mesh) -> None:
    ids = await mesh.fill(1_000)
    worker = mesh.worker("outage")
    try:
        out = await mesh.wait_for(ids)
    finally:
        worker.terminate()
        worker.wait(40)
    assert set(out) == ids
    assert await mesh.values(Topic.DEAD_LETTERS) == []


async def test_a_broken_envelope_is_set_aside_whole(mesh: Mesh) -> None:
    await mesh.fill(100)
    outbox = Outbox(mesh.settings)
    await outbox.send(mesh.topic(Topic.ALERTS), [Message(b"not an envelope", partition=0)])
    await outbox.stop()
    ids = set(await _ids_in(mesh))
    worker = mesh.worker()
    try:
        await mesh.wait_for(ids)
    finally:
        worker.terminate()
        worker.wait(40)
    letters = [DeadLetter.from_json(v) for v in await mesh.values(Topic.DEAD_LETTERS)]
    assert [letter.reason for letter in letters] == ["bad_envelope"]
    assert letters[0].payload == b"not an envelope"


async def _ids_in(mesh: Mesh) -> list[str]:
    ids = []
    for value in await mesh.values(Topic.ALERTS):
        if value != b"not an envelope":
            ids += read_envelope(value).strings("alert_id")
    return ids
