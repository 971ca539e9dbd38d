"""Fixture ``kafka``: a real Kafka for a test session, on a free port, in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.local.kafka_distribution import find_kafka
from shared.local.kafka_server import LocalKafka
from shared.local.server_process import LocalServerError, free_port


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A running broker; ``kafka.bootstrap_servers`` is its address.

    It is shared by the whole session: tests name their topics and groups apart. The jars are those
    of the checkout's ``.tocsin/kafka``, fetched once. Skipped only if there is no way to run it.
    """
    try:
        distribution = find_kafka()
    except LocalServerError as error:
        pytest.skip(f"no local Kafka: {error}")
    folder = tmp_path_factory.mktemp("kafka")
    broker = LocalKafka(
        directory=folder,
        distribution=distribution,
        port=free_port(),
        controller_port=free_port(),
        log_file=folder / "kafka.log",
        heap_mib=384,
    )
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
