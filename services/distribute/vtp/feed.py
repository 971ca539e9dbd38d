"""The broker's Kafka side: both topics of packets in, authors' packets out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.distribute.deliver import DELIVERY_ID
from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from shared.errors import UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.admin import KafkaAdmin, ensure_topics
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES, Outbox
from shared.kafka.recent import recent_headers
from shared.kafka.records import Message
from shared.kafka.topics import Topic

log = structlog.get_logger()
_RETRY_S = 2.0
_REMEMBERED = 20_000
Relay = Callable[[Sequence[bytes]], Awaitable[None]]


class Feed:
    """Reads what is to be relayed, and keeps what authors hand in."""

    def __init__(self, settings: VtpSettings, metrics: VtpMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._outbox = Outbox(settings)
        prefix = settings.topic_prefix
        self._received = Topic.VOEVENTS_RECEIVED.named(prefix)
        self._topics = [Topic.VOEVENTS.named(prefix), self._received]

    async def keep(self, packet: bytes, identity: bytes) -> None:
        """Put an author's packet on its topic; from there it comes back to be relayed."""
        headers = ((DELIVERY_ID, identity.hex().encode()),)
        await self._outbox.send(self._received, [Message(packet, key=identity, headers=headers)])

    async def known(self) -> list[bytes]:
        """Identities of the last packets that authors handed in."""
        async with KafkaAdmin(self._settings) as admin:
            places = await admin.partitions([self._received])
        found = await recent_headers(self._settings, places, _REMEMBERED)
        return [
            bytes.fromhex(value.decode())
            for messages in found.values()
            for headers in messages
            for key, value in headers
            if key == DELIVERY_ID
        ]

    async def run(self, relay: Relay, ready: Callable[[list[bytes]], None]) -> None:
        """Relay what comes, for ever; ``ready`` is told what authors handed in before."""
        while True:
            try:
                await ensure_topics(self._settings, self._topics)
                ready(await self.known())
                await self._follow(relay)
            except (KafkaError, OSError, UpstreamUnavailableError) as error:
                self._metrics.progress.waits_for = "Kafka"
                log.warning("vtp_feed_retry", error=repr(error))
            await asyncio.sleep(_RETRY_S)

    async def _follow(self, relay: Relay) -> None:
        consumer = AIOKafkaConsumer(
            *self._topics,
            **aiokafka_connection(self._settings),
            group_id=f"{self._settings.topic_prefix}vtp.{self._settings.vtp_name}",
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
            session_timeout_ms=patience.ms(patience.SESSION_S),
            heartbeat_interval_ms=patience.ms(patience.HEARTBEAT_S),
            request_timeout_ms=patience.ms(patience.REQUEST_S),
            metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
        )
        try:
            await consumer.start()
            self._metrics.progress.waits_for = None
            while True:
                await self._carry(consumer, relay)
        finally:
            await consumer.stop()

    async def _carry(self, consumer: Any, relay: Relay) -> None:
        fetched = await consumer.getmany(timeout_ms=500, max_records=500)
        if consumer.assignment():
            self._metrics.progress.is_ready = True
        oldest_ms = 1000 * (time.time() - self._settings.vtp_max_age_s)
        packets = [
            message.value
            for messages in fetched.values()
            for message in messages
            if message.value and message.timestamp >= oldest_ms
        ]
        if packets:
            await relay(packets)
        if fetched:
            await consumer.commit()

    async def stop(self) -> None:
        """Close the way out."""
        await self._outbox.stop()
