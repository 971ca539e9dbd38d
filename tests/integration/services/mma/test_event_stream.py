"""Three complete days of GCN, a coincidence and a test notice through a worker that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from services.console.account.reading import TopicReader
from services.mma import receive
from services.mma.correlator import Correlator
from services.mma.notices import read_notice
from services.mma.receivers.settings import ReceiverSettings
from services.mma.send import send
from services.mma.settings import MmaSettings
from shared.errors import RejectedRecordError
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.association import Association
from shared.schemas.coincidence import CoincidenceRecord
from shared.schemas.event import EventRecord
from shared.testing.notices import base_cells_map, lvk_json, voevent
from shared.testing.placed_alerts import alerts_at
from tests.integration.services.mma.test_worker import start_worker

pytestmark = pytest.mark.kafka
NOTICES = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices"
DAYS = NOTICES / "gcn_full_days_2019-04-25_26_2023-05-29_2545.tar.xz"
PATIENCE_S = 120.0


def three_days():
    if not DAYS.exists():
        return []
    found = []
    with tarfile.open(DAYS, "r|xz") as archive:
        for member in (one for one in archive if one.isfile()):
            with contextlib.suppress(RejectedRecordError):
                found.append(read_notice(archive.extractfile(member).read(), 0))
    return found


MINE = [
    read_notice(lvk_json(sky_map=base_cells_map(0.9)), 0),
    read_notice(voevent("ivo://nasa.gsfc.gcn/Fermi#GBM_Flt_Pos_1", place=(2.0, 1.0, 5.0),
                        time="2024-01-15T00:00:02", params={"TrigID": "726746786"}), 0),
]  # fmt: skip
RETRACTION = read_notice(lvk_json(alert_type="RETRACTION", created="2024-01-15T01:00:00Z"), 0)
NIGHTS = (58598.3, 58599.3, 60093.3, 60326.0)


def night(mjd_tai, first_offset):
    generator = np.random.default_rng(first_offset)
    ra, dec = generator.uniform(0, 360, 60), np.degrees(np.arcsin(generator.uniform(-1, 1, 60)))
    ra[:3], dec[:3] = (2.0, 2.2, 2.4), (1.0, 1.1, 1.2)
    return alerts_at(ra, dec, mjd_tai, first_offset=first_offset, is_simulated=first_offset > 0)


def expected(notices, batches):
    """What stands after the same in one go, without Kafka."""
    worker = Correlator()
    for one in notices:
        with contextlib.suppress(RejectedRecordError):
            worker.take_notice(one)
    for batch in batches:
        for one in worker.correlate(batch).associations:
            worker.take_association(one)
    for one in worker.settle():
        worker.take_association(one)
    held = worker.events.keys()
    standing = {a.association_id for key in held for a in worker.ledger.standing(key)}
    return standing, {key: worker.events.version(key) for key in held}


def _values(settings, topic):
    with TopicReader(settings) as reader:
        records = reader.records(reader.extents(topic.named(settings.topic_prefix)))
        # By time: a key stays on its partition, and a partition in order.
        return [one.value for one in sorted(records, key=lambda r: r.timestamp_ms)]


async def values(settings, topic):
    return await asyncio.to_thread(_values, settings, topic)


async def read(settings, topic, kind):
    return [kind.from_json(value) for value in await values(settings, topic)]


async def put(outbox, topic, batches):
    await outbox.send(topic, [Message(write_envelope(one), partition=0) for one in batches])


async def settled(settings, what):
    """Wait until ``what`` (a coroutine function) is true; its last answer."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := await what()):
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(1.0)
    return answer


async def test_three_days_a_coincidence_a_kill_and_a_test_notice(kafka, tmp_path):
    settings = MmaSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"days{os.getpid()}.",
        state_dir=tmp_path, mma_tell_s=0.3, mma_heartbeat_s=1.0, mma_look_back_hours=0,
    )  # fmt: skip
    await ensure_topics(settings, mesh_topics(settings))
    notices, batches = [*three_days(), *MINE], [night(m, 100 * i) for i, m in enumerate(NIGHTS)]
    outbox = Outbox(settings)
    classified = Topic.CLASSIFIED.named(settings.topic_prefix)
    worker = start_worker(settings, tmp_path)
    try:
        half = len(notices) // 2
        await send(settings, notices[:half])
        await put(outbox, classified, batches[:2])

        async def some():
            return await values(settings, Topic.EVENTS)

        await settled(settings, some)
        await send(settings, notices[half:])
        await put(outbox, classified, batches[2:])
        # Killed in the middle of it all.
        await asyncio.sleep(0.3)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker = start_worker(settings, tmp_path)

        standing, versions = expected(notices, batches)

        async def all_told():
            told = {}
            for one in await read(settings, Topic.ASSOCIATIONS, Association):
                told[one.association_id] = one
            there = {name for name, one in told.items() if one.state != "withdrawn"}
            return told if there == standing else None

        told = await settled(settings, all_told)
        assert all(a.role != "observation" for a in told.values() if a.is_simulated)
        assert all(a.role == "test" for a in told.values() if a.event_role == "test")

        async def all_listed():
            told = await read(settings, Topic.EVENTS, EventRecord)
            lines = {(e.role, e.event_id): e for e in told if e.state != "joined"}
            return lines if {k: e.version for k, e in lines.items()} == versions else None

        lines = await settled(settings, all_listed)
        assert lines["observation", "S240115a"].state == "active"

        async def pair():
            found = await read(settings, Topic.COINCIDENCES, CoincidenceRecord)
            return [c for c in found if c.coincidence_id.endswith("S240115a+Fermi_GBM_726746786")]

        (first, *_) = await settled(settings, pair)
        assert first.offset_s == pytest.approx(2.0)
        await send(settings, [RETRACTION])

        async def gone():
            found = await pair()
            return found[-1] if found[-1].state == "withdrawn" else None

        assert (await settled(settings, gone)).reason == "S240115a was retracted"

        # A test notice through the receiver comes back as a test.
        receiving = ReceiverSettings(
            kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=settings.topic_prefix,
            inject_every_s=3.0,
        )  # fmt: skip
        stopping = asyncio.Event()
        task = asyncio.create_task(receive.run(receiving, stopping))

        async def returned():
            found = await read(settings, Topic.ASSOCIATIONS, Association)
            return [a for a in found if a.survey == "injection"]

        back = await settled(settings, returned)
        stopping.set()
        await task
        assert {(a.role, a.event_role, a.is_simulated) for a in back} == {("test", "test", True)}
        assert await values(settings, Topic.HEARTBEAT)
        # Nothing that came in is missing from what went on.
        alerts = {
            name
            for value in await values(settings, Topic.CORRELATED)
            for name in read_envelope(value).strings("alert_id")
        }
        assert alerts == {name for batch in batches for name in batch.strings("alert_id")}
    finally:
        await outbox.stop()
        worker.terminate()
        worker.wait(30)
