"""Which packets a night was made of, and putting them on a topic of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Producer

from shared.archive.nights import nights_of
from shared.archive.packets import packets_at
from shared.errors import UpstreamUnavailableError
from shared.kafka.connection import librdkafka_connection
from shared.kafka.envelopes import read_envelope
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.settings import ServiceSettings
from shared.store import Collection, Store

_POLL_EVERY = 200
_FLUSH_S = 120.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an alert's packet is, and when the survey sent it."""

    alert_id: str
    topic: str
    partition: int
    offset: int
    emitted_ms: int


async def origins_of_night(store: Store, survey: str, night: int) -> dict[str, Origin]:
    """The origins of a night's alerts by alert, in order of sending; each alert's first."""
    found: dict[str, Origin] = {}
    query = {"survey": survey, "nights": night}
    async for document in store.stream(Collection.ENVELOPES, query, fields=["batch"]):
        batch = read_envelope(document["batch"])
        rows = np.flatnonzero(nights_of(batch.floats("mjd_tai")) == night).tolist()
        names, topics = batch.strings("alert_id"), batch.strings("origin_topic")
        partitions = batch.integers("origin_partition").tolist()
        offsets = batch.integers("origin_offset").tolist()
        emitted = batch.integers("emitted_ms").tolist()
        for row in rows:
            origin = Origin(names[row], topics[row], partitions[row], offsets[row], emitted[row])
            found.setdefault(names[row], origin)
    ordered = sorted(found.values(), key=lambda o: (o.emitted_ms, o.topic, o.partition, o.offset))
    return {origin.alert_id: origin for origin in ordered}


def packets_of(root: Path, origins: Sequence[Origin]) -> Iterator[tuple[Origin, bytes | None]]:
    """Each alert's packet from the segments below ``root``; None where it is not kept."""
    for origin in origins:
        found = packets_at(root, origin.topic, origin.partition, origin.offset)
        yield origin, found[0] if found else None


class TopicWriter:
    """Writes messages to topics of the run, every one acknowledged before ``finish`` returns."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._failures: list[str] = []
        self._count = 0
        self._producer = Producer(
            {
                **librdkafka_connection(settings),
                "enable.idempotence": True,
                "linger.ms": 100,
                "batch.size": 1_000_000,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "queue.buffering.max.kbytes": 65_536,
                "log_level": 3,
            }
        )

    def write(self, topic: str, value: bytes, *, key: bytes | None, timestamp_ms: int) -> None:
        """Send one message; waits where the buffer is full."""
        while True:
            try:
                self._producer.produce(
                    topic, value, key=key, timestamp=timestamp_ms, on_delivery=self._noted
                )
                break
            except BufferError:
                self._producer.poll(0.2)
        self._count += 1
        if self._count % _POLL_EVERY == 0:
            self._producer.poll(0)

    def finish(self) -> None:
        """Wait for Kafka; raises ``UpstreamUnavailableError`` if it did not take everything."""
        left = self._producer.flush(_FLUSH_S)
        if left or self._failures:
            reason = self._failures[0] if self._failures else f"{left} not acknowledged"
            raise UpstreamUnavailableError(f"Kafka did not take the packets: {reason}")

    def _noted(self, error: Any, _: Any) -> None:
        if error is not None:
            self._failures.append(str(error))
