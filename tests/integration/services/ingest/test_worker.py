"""The ingest worker on a real Kafka: every packet in exactly one known state, also when killed."""

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

from services.ingest.warm_up import least_packet
from shared.kafka.admin import KafkaAdmin, ensure_topics, mesh_topics, survey_topics
from shared.kafka.envelopes import MAX_ALERTS_PER_ENVELOPE, read_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[4]
GOOD = 6000
KILLS = 2


class Ingest:
    def __init__(self, servers, name, folder):
        self.folder = folder
        self.settings = ServiceSettings(
            kafka_bootstrap_servers=servers,
            topic_prefix=f"{name}.",
            survey_topics=f"ztf={name}_ztf",
            state_dir=folder,
        )
        self.survey_topic = f"{name}_ztf"

    def start(self):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "TOCSIN_TOPIC_PREFIX": self.settings.topic_prefix,
            "TOCSIN_SURVEY_TOPICS": self.settings.survey_topics,
            "TOCSIN_STATE_DIR": str(self.folder),
            "TOCSIN_HTTP_PORT": "0",
        }
        log = (self.folder / "ingest.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "services.ingest"],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip

    async def send(self, payloads):
        await ensure_topics(
            self.settings, [*mesh_topics(self.settings), *survey_topics(self.settings)]
        )
        outbox = Outbox(self.settings)
        messages = [Message(p, key=str(k).encode()) for k, p in enumerate(payloads)]
        await outbox.send(self.survey_topic, messages)
        await outbox.stop()

    async def alert_ids(self):
        values = await self.values(Topic.ALERTS)
        return Counter(i for m in values for i in read_envelope(m.value).strings("alert_id"))

    async def letters(self):
        return [DeadLetter.from_json(m.value) for m in await self.values(Topic.DEAD_LETTERS)]

    async def values(self, topic):
        name = topic.named(self.settings.topic_prefix)
        async with KafkaAdmin(self.settings) as admin:
            ends = await admin.end_offsets([name])
        if not any(ends.values()):
            return []
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(*place) for place in ends])
            found = []
            while len(found) < sum(ends.values()):
                for messages in (await consumer.getmany(timeout_ms=500)).values():
                    found += messages
            return found
        finally:
            await consumer.stop()


async def until(condition, seconds, worker, log):
    deadline = time.monotonic() + seconds
    while not await condition():
        assert worker.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        await asyncio.sleep(0.3)


async def test_killed_ingest_accounts_for_every_packet(kafka, tmp_path):
    ingest = Ingest(kafka.bootstrap_servers, "ingest_kill", tmp_path)
    good = [least_packet(candid, dec=candid % 80) for candid in range(1, GOOD + 1)]
    bad = [b"", b"nonsense", good[0][:-20], least_packet(99_999, ra=400.0)]
    packets = [*good[: GOOD // 2], *bad, *good[GOOD // 2 :], good[7]]
    await ingest.send(packets)
    log = tmp_path / "ingest.log"
    worker = ingest.start()

    async def sent(alerts):
        return len(await ingest.alert_ids()) >= alerts

    try:
        for kill in range(1, KILLS + 1):
            await until(lambda least=kill * GOOD // 5: sent(least), 90, worker, log)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            worker = ingest.start()
        await until(lambda: sent(GOOD), 90, worker, log)
        await asyncio.sleep(2.0)
    finally:
        worker.terminate()
        worker.wait(30)
    ids, places = Counter(), {}
    for message in await ingest.values(Topic.ALERTS):
        envelope = read_envelope(message.value)
        assert len(envelope) <= MAX_ALERTS_PER_ENVELOPE
        for alert_id, object_id in zip(
            envelope.strings("alert_id"), envelope.strings("object_id"), strict=True
        ):
            ids[int(alert_id)] += 1
            assert places.setdefault(object_id, message.partition) == message.partition
    assert set(ids) == set(range(1, GOOD + 1)), "every sound packet is an alert"
    letters = await ingest.letters()
    reasons = {letter.reason for letter in letters}
    assert reasons - {"duplicate"} == {"empty", "unknown_framing", "truncated", "bad_position"}
    for letter in letters:
        assert letter.origin_topic == ingest.survey_topic
        assert (letter.payload is None) == (letter.reason in {"duplicate"})


async def test_duplicate_is_told_from_redelivery(kafka, tmp_path):
    ingest = Ingest(kafka.bootstrap_servers, "ingest_twins", tmp_path)
    await ingest.send([least_packet(1), least_packet(2), least_packet(1), b"nonsense"])
    worker = ingest.start()

    async def accounted():
        return (await ingest.alert_ids()).total() + len(await ingest.letters()) == 4

    try:
        await until(accounted, 90, worker, tmp_path / "ingest.log")
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
    assert await ingest.alert_ids() == Counter(["1", "2"])
    letters = await ingest.letters()
    assert sorted((one.reason, one.alert_id) for one in letters) == [
        ("duplicate", "1"),
        ("unknown_framing", None),
    ]


async def test_duplicate_across_a_restart_is_told_from_redelivery(kafka, tmp_path):
    """Killed before it commits: the packets come again, and so does the survey's repeat."""
    ingest = Ingest(kafka.bootstrap_servers, "ingest_again", tmp_path)
    packets = [least_packet(candid) for candid in range(1, 41)]
    await ingest.send(packets)
    worker = ingest.start()

    async def sent():
        return (await ingest.alert_ids()).total() >= 40

    async def letters(number):
        return len(await ingest.letters()) >= number

    log = tmp_path / "ingest.log"
    try:
        await until(sent, 90, worker, log)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        await ingest.send(packets[:10])
        worker = ingest.start()
        await until(lambda: letters(10), 90, worker, log)
    finally:
        worker.terminate()
        worker.wait(30)
    assert await ingest.alert_ids() == Counter(str(n) for n in range(1, 41))
    found = await ingest.letters()
    assert {x.reason for x in found} == {"duplicate"}
    assert Counter(x.alert_id for x in found) == Counter(str(n) for n in range(1, 11))
