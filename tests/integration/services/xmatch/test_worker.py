"""The xmatch worker as a process of its own, on a real Kafka."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from aiokafka import AIOKafkaConsumer

from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.catalogs.packaged import packaged_file
from shared.alert_batch import AlertBatch
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings
from shared.testing.batches import made_up_batch

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[4]


def alerts_in_ngc_7814(alerts: int) -> AlertBatch:
    """All at the place of SN 2021rhu, but the last four, which are nowhere."""
    batch = made_up_batch(alerts).record_batch
    places = {"ra_deg": np.full(alerts, 0.8143), "dec_deg": np.full(alerts, 16.1457)}
    places["dec_deg"][-4:] = 16.1457, 16.1457, 90.5, np.nan
    places["ra_deg"][-4:-2] = np.nan, 400.0
    for name, values in places.items():
        index = batch.schema.get_field_index(name)
        column = pa.array(values)
        batch = batch.set_column(index, batch.schema.field(index), column)
    return AlertBatch(batch)


async def first_values(
    settings: ServiceSettings, topic: Topic, timeout_s: float, count: int = 1
) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic.named(settings.topic_prefix),
        bootstrap_servers=settings.kafka_bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        messages = [await asyncio.wait_for(consumer.getone(), timeout_s) for _ in range(count)]
    finally:
        await consumer.stop()
    return [bytes(message.value) for message in messages]


def start_worker(settings: ServiceSettings, folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
        "TOCSIN_STATE_DIR": str(folder),
        "TOCSIN_XMATCH_CATALOGS": "openngc",  # VSX takes seconds to index
    }
    with (folder / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.xmatch"],
            stdout=log, stderr=log, cwd=ROOT, env=environment,
        )  # fmt: skip


async def test_alerts_come_out_matched_and_those_off_the_sky_are_set_aside(kafka, tmp_path):
    try:
        packaged_file(CATALOGS["openngc"])
    except CatalogUnavailableError as error:
        pytest.skip(str(error))
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        topic_prefix=f"xmatch{time.time_ns()}.",
        state_dir=tmp_path,
    )
    await ensure_topics(settings, mesh_topics(settings))
    outbox = Outbox(settings)
    message = Message(write_envelope(alerts_in_ngc_7814(20)), partition=1)
    await outbox.send(Topic.ALERTS.named(settings.topic_prefix), [message])
    await outbox.stop()
    worker = start_worker(settings, tmp_path)
    try:
        batch = read_envelope((await first_values(settings, Topic.MATCHED, 90))[0])
        letters = await first_values(settings, Topic.DEAD_LETTERS, 30, 4)
    except TimeoutError:
        pytest.fail((tmp_path / "worker.log").read_text()[-3000:])
    finally:
        worker.terminate()
        worker.wait(40)
    assert len(batch) == 16
    assert {m[0]["source_id"] for m in batch.strings("matches")} == {"NGC7814"}
    told = [DeadLetter.model_validate_json(letter) for letter in letters]
    assert {(letter.stage, letter.reason) for letter in told} == {("xmatch", "bad_position")}
    words = " ".join(str(letter) for letter in told)
    for place in ("RA nan, Dec 16.1457", "RA 400.0", "Dec 90.5", "Dec nan"):
        assert place in words
