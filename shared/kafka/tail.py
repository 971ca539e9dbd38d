"""``add_tail``: a whole topic from its start, by every worker, without a group; then followed.

For what every worker must know: notices. The topic is the memory; a restart reads it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from shared.errors import UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.admin import KafkaAdmin
from shared.kafka.app import ServiceApp
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.kafka.records import Record
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

log = structlog.get_logger()
_RETRY_S = 2.0


def add_tail(
    app: ServiceApp,
    settings: ServiceSettings,
    *,
    topic: Topic,
    on_record: Callable[[Record], None],
) -> Tail:
    """Call ``on_record`` with every record of ``topic``, oldest first, for as long as we run.

    ``on_record`` must bear seeing a record twice. What it cannot use it counts and leaves; if it
    raises, the record is logged and left out.
    """
    tail = Tail(settings, topic.named(settings.topic_prefix), on_record)
    app.attach(tail)
    return tail


class Tail(Service):
    """Reader of one whole topic."""

    logger = logging.getLogger("faust.tail")

    def __init__(
        self,
        settings: ServiceSettings,
        topic: str,
        on_record: Callable[[Record], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._topic = topic
        self._on_record = on_record
        self._caught_up = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def caught_up(self) -> None:
        """Wait until everything that was on the topic at the start has been read."""
        await self._caught_up.wait()

    async def on_start(self) -> None:
        """Start reading."""
        self._reading = asyncio.create_task(self._read_for_ever())

    async def on_stop(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read_for_ever(self) -> None:
        while True:
            try:
                await self._read()
            except (UpstreamUnavailableError, KafkaError, OSError) as error:
                log.warning("tail_retry", topic=self._topic, error=repr(error))
            await asyncio.sleep(_RETRY_S)

    async def _read(self) -> None:
        async with KafkaAdmin(self._settings) as admin:
            ends = await admin.end_offsets([self._topic])
        if not ends:
            log.warning("tail_waits_for_topic", topic=self._topic)
            return
        consumer = AIOKafkaConsumer(
            **aiokafka_connection(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            fetch_max_bytes=2 * MAX_MESSAGE_BYTES,
            request_timeout_ms=patience.ms(patience.ANSWER_S),
            metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(*place) for place in ends]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            await self._follow(consumer, {TopicPartition(*k): v for k, v in ends.items()})
        finally:
            await consumer.stop()

    def _hand_over(self, record: Record) -> None:
        """One record must not end the reading of all that come after, now and at every start."""
        try:
            self._on_record(record)
        except Exception:  # what the record is, is its sender's choice
            log.error(
                "tail_record_left_out", topic=record.topic, partition=record.partition,
                offset=record.offset, exc_info=True,
            )  # fmt: skip

    async def _follow(self, consumer: Any, ends: dict[Any, int]) -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=200, max_records=500)
            for messages in fetched.values():
                for m in messages:
                    self._hand_over(
                        Record(m.topic, m.partition, m.offset, m.timestamp, m.key, m.value or b"")
                    )
            if not self._caught_up.is_set():
                positions = [(await consumer.position(tp), end) for tp, end in ends.items()]
                if all(position >= end for position, end in positions):
                    self._caught_up.set()
