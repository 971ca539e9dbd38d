"""Topics read from end to end, without a group and without leaving a trace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from shared.errors import UpstreamUnavailableError
from shared.kafka.connection import librdkafka_connection
from shared.kafka.records import Record
from shared.settings import ServiceSettings

_PATIENCE_S = 20.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Extent:
    """What one partition holds: offsets from ``begin`` up to, not including, ``end``."""

    topic: str
    partition: int
    begin: int
    end: int


class TopicReader:
    """Reads whole topics (context manager)."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._consumer = Consumer(
            {
                **librdkafka_connection(settings),
                "group.id": f"{settings.topic_prefix}account",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": False,
                "log_level": 0,
            }
        )

    def __enter__(self) -> TopicReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def topics(self) -> list[str]:
        """Names of all topics; raises ``UpstreamUnavailableError`` if Kafka does not answer."""
        try:
            return sorted(self._consumer.list_topics(timeout=_PATIENCE_S).topics)
        except KafkaException as error:
            raise UpstreamUnavailableError(f"Kafka does not answer: {error}") from error

    def extents(self, topic: str) -> list[Extent]:
        """The extent of every partition of ``topic``; none if there is no such topic."""
        try:
            found = self._consumer.list_topics(topic, timeout=_PATIENCE_S).topics[topic]
            extents = []
            for partition in sorted(found.partitions):
                place = TopicPartition(topic, partition)
                begin, end = self._consumer.get_watermark_offsets(place, timeout=_PATIENCE_S)
                extents.append(Extent(topic, partition, begin, end))
        except KafkaException as error:
            raise UpstreamUnavailableError(f"Kafka does not answer: {error}") from error
        return extents

    def records(self, extents: list[Extent]) -> Iterator[Record]:
        """Every record of ``extents``, a partition's in order."""
        for record, _ in self.records_with_headers(extents):
            yield record

    def records_with_headers(
        self, extents: list[Extent]
    ) -> Iterator[tuple[Record, dict[str, bytes]]]:
        """The same, each with its headers."""
        left = {(e.topic, e.partition): e.end for e in extents if e.end > e.begin}
        self._consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in left])
        heard_at = time.monotonic()
        while left:
            messages = self._consumer.consume(500, timeout=_POLL_S)
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _PATIENCE_S:
                raise UpstreamUnavailableError(f"Kafka has gone quiet while reading {list(left)}")
            for message in messages:
                yield from self._one(message, left)
        self._consumer.unassign()

    def _one(
        self, message: Any, left: dict[tuple[str, int], int]
    ) -> Iterator[tuple[Record, dict[str, bytes]]]:
        if message.error() is not None:
            raise UpstreamUnavailableError(f"reading stopped: {message.error()}")
        place = (message.topic(), message.partition())
        if place not in left:
            return
        if message.offset() < left[place]:
            record = Record(
                *place,
                message.offset(),
                message.timestamp()[1],
                message.key(),
                message.value() or b"",
            )
            yield record, dict(message.headers() or ())
        if message.offset() + 1 >= left[place]:
            del left[place]
