"""The archive as a process on a real Kafka and a real database: killed, it loses nothing."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from services.archive import object as object_command
from services.archive import packet as packet_command
from shared.archive.packets import packets_at, packets_root
from shared.archive.snapshots import archive_root, current_snapshot
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings
from shared.store import Collection, open_store
from shared.testing.batches import made_up_batch

pytestmark = [pytest.mark.kafka, pytest.mark.database]
ROOT = Path(__file__).parents[4]
ENVELOPES, PACKETS, ALERTS_EACH = 300, 1500, 10


@pytest.fixture
def settings(kafka, database, tmp_path):
    return ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        topic_prefix="archived.",
        survey_topics="ztf=archived_ztf",
        database_uri=SecretStr(database.uri),
        database_name="archive_worker",
        state_dir=tmp_path,
    )


def environment(settings):
    return {
        **os.environ,
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
        "TOCSIN_SURVEY_TOPICS": settings.survey_topics,
        "TOCSIN_DATABASE_URI": settings.database_uri.get_secret_value(),
        "TOCSIN_DATABASE_NAME": settings.database_name,
        "TOCSIN_STATE_DIR": str(settings.state_dir),
        "TOCSIN_ARCHIVE_PACK_EVERY_S": "1",
        "TOCSIN_ARCHIVE_PACK_QUIET_S": "0",
    }


def start_worker(settings):
    log = (settings.state_dir / "worker.log").open("ab")
    return subprocess.Popen(
        [sys.executable, "-m", "services.archive"],
        cwd=ROOT, env=environment(settings), stdout=log, stderr=log,
    )  # fmt: skip


def packet(number):
    return f"packet {number} ".encode() + random.Random(number).randbytes(20_000)


async def fill(settings):
    """Put envelopes, packets and a notice on their topics; ``origin`` ties alerts to packets."""
    await ensure_topics(settings, [*mesh_topics(settings), "archived_ztf"])
    outbox = Outbox(settings)
    correlated = Topic.CORRELATED.named(settings.topic_prefix)
    batches = [
        made_up_batch(ALERTS_EACH, seed=n, first_offset=n * ALERTS_EACH) for n in range(ENVELOPES)
    ]
    await outbox.send(
        correlated, [Message(write_envelope(b), partition=n % 2) for n, b in enumerate(batches)]
    )
    await outbox.send("archived_ztf", [Message(packet(n), partition=n % 2) for n in range(PACKETS)])
    notice = Message(b'{"event_id": "S1"}', key=b"S1")
    await outbox.send(Topic.NOTICES.named(settings.topic_prefix), [notice])
    await outbox.stop()
    return batches


async def kept(settings):
    """Envelopes, packets and notices that are there now."""
    store = open_store(settings)
    try:
        envelopes = await store.find(Collection.ENVELOPES, {}, fields=["alert_ids", "object_ids"])
        notices = await store.find(Collection.NOTICES, {}, fields=["key"])
    finally:
        store.close()
    root = packets_root(settings.state_dir)
    found = [packets_at(root, "archived_ztf", n % 2, n // 2) for n in range(PACKETS)]
    return envelopes, found, notices


def packed_ids(settings):
    """Alerts of the current snapshot, sorted."""
    snapshot = current_snapshot(archive_root(settings.state_dir), "ztf")
    files = [snapshot.path(f) for f in snapshot.alert_files()] if snapshot else []
    return sorted(n for f in files for n in pq.read_table(f, columns=["alert_id"])[0].to_pylist())


async def test_kill_9_in_mid_stream_loses_nothing_and_keeps_once(settings, monkeypatch, capsys):
    batches = await fill(settings)
    worker = start_worker(settings)
    try:
        deadline = time.monotonic() + 90
        kills = 0
        while True:
            assert time.monotonic() < deadline, (settings.state_dir / "worker.log").read_text()
            await asyncio.sleep(0.2)
            envelopes, packets, notices = await kept(settings)
            if (envelopes or any(packets)) and kills < 2:
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait()
                kills += 1
                worker = start_worker(settings)
                await asyncio.sleep(1.0)
            elif len(envelopes) >= ENVELOPES and all(packets) and notices:
                break
        wanted = sorted(i for b in batches for i in b.strings("alert_id"))
        while packed_ids(settings) != wanted:  # by itself, whatever was killed
            assert time.monotonic() < deadline + 60, (settings.state_dir / "worker.log").read_text()
            await asyncio.sleep(0.5)
    finally:
        worker.terminate()
        worker.wait(30)
    envelopes, packets, notices = await kept(settings)
    assert sorted(i for e in envelopes for i in e["alert_ids"]) == wanted
    assert packets == [[packet(n)] for n in range(PACKETS)]
    assert len(notices) == 1

    for name, value in environment(settings).items():
        if name.startswith("TOCSIN_"):
            monkeypatch.setenv(name, value)
    object_id = batches[7].strings("object_id")[3]
    assert await asyncio.to_thread(object_command.main, [object_id]) == 0
    assert object_id in capsys.readouterr().out
    assert await asyncio.to_thread(object_command.main, ["nobody"]) == 1
    alert_id = batches[7].strings("alert_id")[3]
    assert await asyncio.to_thread(packet_command.main, [alert_id, "--where"]) == 0
    assert capsys.readouterr().out == "ztf_alerts 0 73\n"
