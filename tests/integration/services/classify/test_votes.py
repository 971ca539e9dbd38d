"""Votes through a real Kafka and database: the voter's list follows within five seconds."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.vote import Vote
from shared.settings import ServiceSettings
from shared.store import Collection, open_store
from shared.testing.batches import made_up_batch

ROOT = Path(__file__).parents[4]


@pytest.mark.kafka
@pytest.mark.database
async def test_a_vote_changes_its_users_list_within_five_seconds(kafka, database, tmp_path):
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"votes{time.time_ns()}.",
        state_dir=tmp_path, database_uri=SecretStr(database.uri), database_name="votes",
    )  # fmt: skip
    await ensure_topics(settings, mesh_topics(settings))
    outbox, store = Outbox(settings), open_store(settings)
    batches = [made_up_batch(200, seed=k, first_offset=200 * k, points=(8, 40)) for k in range(4)]
    envelopes = [Message(write_envelope(one), partition=0) for one in batches]
    await outbox.send(Topic.CORRELATED.named(settings.topic_prefix), envelopes)

    async def vote(object_id, opinion, at):
        message = Vote(user="ann", object_id=object_id, opinion=opinion, said_ms=at)
        topic = Topic.VOTES.named(settings.topic_prefix)
        await outbox.send(topic, [Message(message.to_json(), key=message.key)])

    async def list_without(names, patience_s):
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            found = await store.find(Collection.ANOMALY_LISTS, {"_id": "ann"})
            top = [one["object_id"] for one in found[0]["top"]] if found else []
            if top and not set(names) & set(top):
                return top
            await asyncio.sleep(0.1)
        pytest.fail(f"no list in {patience_s} s\n{(tmp_path / 'worker.log').read_text()[-3000:]}")

    worker = start_worker(settings, database.uri, tmp_path)
    try:
        first = str(batches[0].strings("object_id")[0])
        await vote(first, "regular", 1)
        top = await list_without([first], 90)
        await vote(top[0], "regular", 2)
        after = await list_without([top[0]], 5)
        assert after != top
    finally:
        worker.terminate()
        await asyncio.to_thread(worker.wait, 40)
        await outbox.stop()
        store.close()


def start_worker(settings, uri, folder):
    environment = {
        **os.environ,
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
        "TOCSIN_STATE_DIR": str(folder),
        "TOCSIN_DATABASE_URI": uri,
        "TOCSIN_DATABASE_NAME": settings.database_name,
        "TOCSIN_LEARNING_REFERENCE_ALERTS": "400",
        "OMP_NUM_THREADS": "1",
    }
    with (folder / "worker.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.classify.learning"],
            stdout=log, stderr=log, cwd=ROOT, env=environment,
        )  # fmt: skip
