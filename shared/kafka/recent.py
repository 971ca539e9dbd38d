"""The last messages of a partition, as a memory of what was sent there."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.errors import UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.settings import ServiceSettings

Place = tuple[str, int]
"""Topic and partition."""
Headers = tuple[tuple[str, bytes], ...]

_FETCH_TIMEOUT_MS = 1000
_IDLE_FETCHES = 10
"""Fetches without a message after which Kafka is held to be away."""


async def recent_headers(
    settings: ServiceSettings, places: Sequence[Place], count: int
) -> dict[Place, list[Headers]]:
    """Headers of the last ``count`` messages of each place, oldest first.

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
        fetch_max_bytes=2 * MAX_MESSAGE_BYTES,
        request_timeout_ms=patience.ms(patience.ANSWER_S),
        metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
    )
    try:
        await consumer.start()
        return await _read(consumer, [TopicPartition(*place) for place in places], count)
    except (KafkaError, OSError) as error:
        raise UpstreamUnavailableError(f"cannot read what was delivered: {error}") from error
    finally:
        await consumer.stop()


async def _read(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], count: int
) -> dict[Place, list[Headers]]:
    found: dict[Place, list[Headers]] = {(tp.topic, tp.partition): [] for tp in partitions}
    first = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    waiting = {tp: end for tp, end in ends.items() if end > first[tp]}
    if not waiting:
        return found
    consumer.assign(list(waiting))
    for tp, end in waiting.items():
        consumer.seek(tp, max(first[tp], end - count))
    idle = 0
    while waiting:
        fetched = await consumer.getmany(*waiting, timeout_ms=_FETCH_TIMEOUT_MS)
        idle = 0 if fetched else idle + 1
        if idle > _IDLE_FETCHES:
            raise UpstreamUnavailableError(f"nothing comes from {sorted(waiting)}")
        for tp, messages in fetched.items():
            found[(tp.topic, tp.partition)] += [
                tuple(m.headers) for m in messages if m.offset < ends[tp]
            ]
        waiting = {tp: end for tp, end in waiting.items() if await consumer.position(tp) < end}
    return found
