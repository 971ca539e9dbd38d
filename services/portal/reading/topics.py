"""Messages out of Kafka: the end of a topic, and what comes after."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.errors import UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.admin import KafkaAdmin
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.settings import ServiceSettings

Offsets = dict[int, int]
"""The next offset to read, by partition."""
_LONGEST_PLACE = 2000


class KnownTopics:
    """Names of Kafka's topics, asked every few seconds at most."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._names: set[str] = set()
        self._asked_s = 0.0

    async def has(self, name: str) -> bool:
        """Whether there is a topic of that full name.

        Raises
        ------
        UpstreamUnavailableError
            If Kafka does not answer.
        """
        if name not in self._names and time.monotonic() - self._asked_s > 3.0:
            async with KafkaAdmin(self._settings) as admin:
                self._names = await admin.topics()
            self._asked_s = time.monotonic()
        return name in self._names


def place_text(offsets: Offsets) -> str:
    """Offsets as one word: ``0:12,1:7``."""
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(offsets.items()))


def read_place(text: str) -> Offsets:
    """What `place_text` wrote.

    Raises
    ------
    ValueError
        If it is none of that.
    """
    if len(text) > _LONGEST_PLACE:
        raise ValueError("too long")
    offsets = {}
    for entry in text.split(","):
        partition, _, offset = entry.partition(":")
        if not (partition.isascii() and partition.isdecimal()) or len(partition) > 6:
            raise ValueError(f"{entry[:40]!r} is not partition:offset")
        if not (offset.isascii() and offset.isdecimal()) or len(offset) > 18:
            raise ValueError(f"{entry[:40]!r} is not partition:offset")
        offsets[int(partition)] = int(offset)
    return offsets


@asynccontextmanager
async def reading(settings: ServiceSettings, topic: str) -> AsyncIterator[Any]:
    """A consumer without a group, assigned to every partition of a topic that there is.

    Raises
    ------
    UpstreamUnavailableError
        If Kafka does not answer.
    """
    consumer = AIOKafkaConsumer(
        **aiokafka_connection(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        request_timeout_ms=patience.ms(patience.ANSWER_S),
        metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
    )
    try:
        async with KafkaAdmin(settings) as admin:
            places = await admin.partitions([topic])
        await consumer.start()
        consumer.assign([TopicPartition(*place) for place in places])
        yield consumer
    except (KafkaError, OSError) as error:
        raise UpstreamUnavailableError(f"Kafka does not give {topic}: {error}") from error
    finally:
        await consumer.stop()


async def last_messages(
    settings: ServiceSettings, topic: str, count: int, before: Offsets | None = None
) -> tuple[list[Any], Offsets]:
    """The last ``count`` messages of a topic, newest first; and where they begin.

    ``before`` is what the page before began at.
    """
    async with reading(settings, topic) as consumer:
        partitions = list(consumer.assignment())
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        if before is not None:
            ends = {tp: min(end, before.get(tp.partition, first[tp])) for tp, end in ends.items()}
        starts = {tp: max(first[tp], end - count) for tp, end in ends.items()}
        waiting = {tp: end for tp, end in ends.items() if end > starts[tp]}
        for tp in waiting:
            consumer.seek(tp, starts[tp])
        found: list[Any] = []
        deadline = time.monotonic() + patience.ANSWER_S
        while waiting and time.monotonic() < deadline:
            for tp, messages in (await consumer.getmany(*waiting, timeout_ms=500)).items():
                found += [m for m in messages if m.offset < ends[tp]]
            waiting = {tp: end for tp, end in waiting.items() if await consumer.position(tp) < end}
        newest = sorted(found, key=lambda m: (m.timestamp, m.partition, m.offset), reverse=True)
        page = newest[:count]
        begin = {tp.partition: end for tp, end in ends.items()}
        for message in page:
            begin[message.partition] = min(begin[message.partition], message.offset)
        is_more = any(begin[tp.partition] > first[tp] for tp in partitions)
        return page, begin if is_more else {}
