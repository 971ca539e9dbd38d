"""The mma worker as a process of its own, on a real Kafka: both directions, a restart, a kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.mma.notices import read_notice
from services.mma.send import send
from services.mma.settings import MmaSettings
from shared.kafka.admin import KafkaAdmin, ensure_topics, mesh_topics
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.association import Association
from shared.testing.notices import base_cells_map, lvk_json
from shared.testing.placed_alerts import alerts_at

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[4]
EVENT_TAI = 60324.0 + 37 / 86400
TIMEOUT_S = 60.0


def start_worker(settings: MmaSettings, folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
        "TOCSIN_STATE_DIR": str(folder),
    }
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.mma"],
            stdout=log, stderr=log, cwd=ROOT, env=environment,
        )  # fmt: skip


async def values(settings: MmaSettings, topic: Topic) -> list[bytes]:
    name = topic.named(settings.topic_prefix)
    async with KafkaAdmin(settings) as admin:
        ends = await admin.end_offsets([name])
    if not any(ends.values()):
        return []
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[bytes] = []
    try:
        consumer.assign([TopicPartition(*place) for place in ends])
        while len(found) < sum(ends.values()):
            for messages in (await consumer.getmany(timeout_ms=500)).values():
                found += [m.value for m in messages]
    finally:
        await consumer.stop()
    return found


async def told(settings: MmaSettings, count: int) -> list[Association]:
    """Associations told, once there are ``count`` of them; fails when they do not come."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        found = [Association.from_json(v) for v in await values(settings, Topic.ASSOCIATIONS)]
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {count} associations came"
        await asyncio.sleep(0.3)


async def put_alerts(settings: MmaSettings, first_offset: int) -> None:
    """One alert in the region, one outside of it: 180 degrees away is the last of equal cells."""
    batch = alerts_at([0.0, 180.0], [0.0, 0.0], EVENT_TAI + 2, first_offset=first_offset)
    outbox = Outbox(settings)
    await outbox.send(
        Topic.CLASSIFIED.named(settings.topic_prefix),
        [Message(write_envelope(batch), partition=0)],
    )
    await outbox.stop()


def notice(alert_type: str, created: str, share: float = 0.9):
    payload = lvk_json(alert_type=alert_type, created=created, sky_map=base_cells_map(share))
    return read_notice(payload, received_ms=0)


async def test_notice_first_alert_first_update_kill_and_retraction(kafka, tmp_path) -> None:
    settings = MmaSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        topic_prefix=f"mma{os.getpid()}.",
        state_dir=tmp_path,
    )
    await ensure_topics(settings, mesh_topics(settings))
    await put_alerts(settings, 0)
    worker = start_worker(settings, tmp_path)
    try:
        # The alerts wait for no notice; the notice finds them afterwards.
        deadline = time.monotonic() + TIMEOUT_S
        while not await values(settings, Topic.CORRELATED):
            assert time.monotonic() < deadline, "the alerts did not go on"
            await asyncio.sleep(0.3)
        await send(settings, [notice("INITIAL", "2024-01-15T00:05:00Z")])
        first = {a.alert_id: a for a in await told(settings, 1)}
        assert first["9000000000"].state == "new"
        assert first["9000000000"].credible_level == pytest.approx(0.9)

        # Now the notice is there first.
        await put_alerts(settings, 10)
        second = await told(settings, len(first) + 1)
        assert {a.alert_id for a in second} >= {"9000000000", "9000000010"}

        # Killed; an update and a retraction come while nobody listens.
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        await send(settings, [notice("RETRACTION", "2024-01-15T01:00:00Z")])
        worker = start_worker(settings, tmp_path)
        standing = {a.association_id for a in second}
        after = await told(settings, len(second) + len(standing))
        withdrawn = {a.association_id for a in after if a.state == "withdrawn"}
        assert withdrawn == standing

        envelopes = [read_envelope(v) for v in await values(settings, Topic.CORRELATED)]
        # The kill may have had an envelope delivered again, after the retraction: the first counts.
        found: dict[str, list[str]] = {}
        for batch in envelopes:
            columns = batch.strings("alert_id"), batch.column("associations").to_pylist()
            for alert, events in zip(*columns, strict=True):
                found.setdefault(alert, [a["event_id"] for a in events])
        assert found["9000000000"] == []
        assert found["9000000010"] == ["S240115a"]
        assert len(found) == 4
    finally:
        worker.terminate()
        worker.wait(30)
