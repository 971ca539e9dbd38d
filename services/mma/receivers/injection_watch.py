"""Watches for test notices to come back as associations, and says when one does not."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.kafka.connection import aiokafka_connection
from shared.kafka.topics import Topic
from shared.schemas.association import Association
from shared.settings import ServiceSettings

log = structlog.get_logger()
INJECTION_STREAM = "tocsin/injection"
_MARK = INJECTION_STREAM.encode()
_RETRY_S = 5.0
_LOOK_EVERY_MS = 200


class InjectionMetrics(Protocol):
    """What is told of test notices."""

    def returned(self, seconds: float) -> None:
        """One came back after so many seconds."""

    def overdue(self, count: int) -> None:
        """So many have not come back in time, as of now."""

    def lost(self) -> None:
        """One was not back in time."""


class InjectionWatch:
    """What was injected and has not come back yet.

    Parameters
    ----------
    patience_s
        After so many seconds without its association a test notice counts as lost.
    metrics
        What is told; the gauge of overdue ones is what an alarm is set on.
    """

    def __init__(self, patience_s: float, metrics: InjectionMetrics) -> None:
        self._patience_s = patience_s
        self._metrics = metrics
        self._waiting: dict[str, float] = {}
        self._late: dict[str, float] = {}

    def sent(self, event_id: str, now_s: float) -> None:
        """A test notice is on its way since ``now_s`` (Unix seconds)."""
        self._waiting[event_id] = now_s

    def heard(self, value: bytes, now_s: float) -> None:
        """A message of ``associations``."""
        if _MARK not in value:
            return
        try:
            event_id = Association.from_json(value).event_id
        except ValidationError:
            return
        sent_s = self._waiting.pop(event_id, None) or self._late.pop(event_id, None)
        if sent_s is None:
            return
        # The line works again: what was lost before is history.
        self._late.clear()
        self._metrics.returned(now_s - sent_s)
        self._metrics.overdue(0)
        log.info("injection_returned", event_id=event_id, seconds=round(now_s - sent_s, 3))

    def look(self, now_s: float) -> None:
        """Raise the alarm for what is overdue."""
        for event_id, sent_s in [*self._waiting.items()]:
            if now_s - sent_s > self._patience_s:
                self._late[event_id] = self._waiting.pop(event_id)
                self._metrics.lost()
                log.error("injection_lost", event_id=event_id, seconds=round(now_s - sent_s, 1))
        self._metrics.overdue(len(self._late))


async def watch_associations(settings: ServiceSettings, watch: InjectionWatch) -> None:
    """Follow ``associations`` from its end, for ever."""
    while True:
        try:
            await _follow(settings, watch)
        except (UpstreamUnavailableError, KafkaError, OSError) as error:
            log.warning("injection_watch_retry", error=repr(error))
        watch.look(time.time())
        await asyncio.sleep(_RETRY_S)


async def _follow(settings: ServiceSettings, watch: InjectionWatch) -> None:
    topic = Topic.ASSOCIATIONS.named(settings.topic_prefix)
    async with KafkaAdmin(settings) as admin:
        ends = await admin.end_offsets([topic])
    if not ends:
        return
    consumer = AIOKafkaConsumer(**aiokafka_connection(settings), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(*place) for place in ends])
        for place, end in ends.items():
            consumer.seek(TopicPartition(*place), end)
        while True:
            for messages in (await consumer.getmany(timeout_ms=_LOOK_EVERY_MS)).values():
                for message in messages:
                    watch.heard(message.value or b"", time.time())
            watch.look(time.time())
    finally:
        await consumer.stop()
