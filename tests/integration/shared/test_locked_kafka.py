"""A Kafka that asks who we are: every client of ours answers, and none gets in without."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException
from pydantic import SecretStr

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin, ensure_topics, mesh_topics
from shared.kafka.connection import librdkafka_connection
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.local.kafka_server import LocalKafka
from shared.local.server_process import free_port
from shared.settings import ServiceSettings
from shared.testing.batches import made_up_batch

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).parents[3]
WORKER = ROOT / "tests/integration/river_worker.py"
PASSWORD = "a password of the test's own"  # noqa: S105
LOCKED = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{locked},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{locked}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_ingest="{password}";
"""


@pytest.fixture(scope="module")
def locked(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a listener that wants a user and a password."""
    folder = tmp_path_factory.mktemp("locked")
    port, door, controller = free_port(), free_port(), free_port()
    broker = replace(
        kafka,
        directory=folder,
        port=port,
        controller_port=controller,
        log_file=folder / "kafka.log",
        heap_mib=256,
        extra_properties=LOCKED.format(
            port=port, locked=door, controller=controller, password=PASSWORD
        ),
    )
    try:
        broker.start()
        yield f"127.0.0.1:{door}"
    finally:
        broker.stop()


def settings(servers: str, folder: Path, password: str = PASSWORD) -> ServiceSettings:
    return ServiceSettings(
        kafka_bootstrap_servers=servers,
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="PLAIN",
        kafka_username="ingest",
        kafka_password=SecretStr(password),
        topic_prefix="locked.",
        state_dir=folder,
    )


async def test_a_stage_works_behind_the_lock(locked: str, tmp_path: Path) -> None:
    ours = settings(locked, tmp_path)
    await ensure_topics(ours, mesh_topics(ours))
    outbox = Outbox(ours)
    source, sink = (t.named(ours.topic_prefix) for t in (Topic.ALERTS, Topic.MATCHED))
    await outbox.send(source, [Message(write_envelope(made_up_batch(20, seed=1)), partition=0)])
    await outbox.stop()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TOCSIN_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "TOCSIN_KAFKA_SASL_MECHANISM": "PLAIN",
        "TOCSIN_KAFKA_USERNAME": "ingest",
        "TOCSIN_KAFKA_PASSWORD": PASSWORD,
    }
    command = [sys.executable, str(WORKER), locked, ours.topic_prefix, "none", str(tmp_path)]
    log = tmp_path / "worker.log"
    with log.open("wb") as out:
        worker = subprocess.Popen(  # noqa: ASYNC220  # starting one takes no time
            command, stdout=out, stderr=out, cwd=ROOT, env=environment
        )
    try:
        async with KafkaAdmin(ours) as admin:
            for _ in range(120):
                if any((await admin.end_offsets([sink])).values()):
                    break
                assert worker.poll() is None, log.read_text()[-3000:]
                await asyncio.sleep(0.5)
            assert sum((await admin.end_offsets([sink])).values()) == 1
    finally:
        worker.terminate()
        worker.wait(40)
    assert PASSWORD not in log.read_text()


async def test_a_wrong_password_is_told_from_a_kafka_that_is_away(
    locked: str, tmp_path: Path
) -> None:
    with pytest.raises(UpstreamUnavailableError, match=r"refuses the user 'ingest'"):
        async with KafkaAdmin(settings(locked, tmp_path, "guessed")):
            pass


def test_librdkafka_gets_in_with_the_password_only(locked: str, tmp_path: Path) -> None:
    def topics(password: str) -> set[str]:
        connection = librdkafka_connection(settings(locked, tmp_path, password))
        consumer = Consumer({**connection, "group.id": "look", "log_level": 0})
        try:
            return set(consumer.list_topics(timeout=5).topics)
        finally:
            consumer.close()

    assert isinstance(topics(PASSWORD), set)
    with pytest.raises(KafkaException):
        topics("guessed")
