"""Sending: many messages at once, back only when Kafka has acknowledged every one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.connection import aiokafka_connection
from shared.kafka.records import Message
from shared.settings import ServiceSettings

log = structlog.get_logger()

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Largest message of ours: a 4 MiB notice in base64, with room around it."""
_FIRST_RETRY_S = 0.5
_LAST_RETRY_S = 5.0


class Outbox:
    """A service's way out to Kafka.

    Sends are idempotent and acknowledged by all in-sync replicas. While Kafka is away a send
    waits and tries again, growing, for as long as it takes: nothing is dropped and nothing
    behind it is acknowledged.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Send ``messages`` to ``topic`` (full name), in order within a partition.

        Raises
        ------
        RejectedRecordError
            ``message_too_large``, if Kafka will never take one of them.
        """
        waiting = list(messages)
        pause_s = _FIRST_RETRY_S
        while waiting:
            waiting = await self._attempt(topic, waiting)
            if waiting:
                log.warning("kafka_send_retry", topic=topic, messages=len(waiting), in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LAST_RETRY_S)

    async def send_once(self, topic: str, messages: Sequence[Message]) -> None:
        """Send ``messages`` to ``topic`` (full name) in one attempt.

        For effects that must not happen twice: what an attempt left behind is unknown, so the
        caller must look before it tries again.

        Raises
        ------
        UpstreamUnavailableError
            If Kafka has not acknowledged every one. Nothing is under way any more then.
        RejectedRecordError
            As ``send``.
        """
        failed = await self._attempt(topic, list(messages))
        if failed:
            await self.stop()
            raise UpstreamUnavailableError(
                f"Kafka did not acknowledge {len(failed)} messages to {topic}"
            )

    async def _attempt(self, topic: str, messages: list[Message]) -> list[Message]:
        """One try; returns those that Kafka did not acknowledge."""
        try:
            producer = await self._started()
            futures = [
                await producer.send(
                    topic, m.value, key=m.key, partition=m.partition, headers=list(m.headers)
                )
                for m in messages
            ]
        except MessageSizeTooLargeError as error:
            raise RejectedRecordError("message_too_large", f"{topic}: {error}") from error
        except (KafkaError, OSError) as error:
            log.warning("kafka_send_failed", topic=topic, error=repr(error))
            return messages
        results = await asyncio.gather(*futures, return_exceptions=True)
        failed = []
        for message, result in zip(messages, results, strict=True):
            if isinstance(result, MessageSizeTooLargeError):
                raise RejectedRecordError("message_too_large", f"{topic}: {result}") from result
            if isinstance(result, BaseException):
                log.warning("kafka_send_failed", topic=topic, error=repr(result))
                failed.append(message)
        return failed

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **aiokafka_connection(self._settings),
                    client_id=f"{self._settings.topic_prefix}outbox",
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=2,
                    max_batch_size=1_000_000,
                    max_request_size=MAX_MESSAGE_BYTES,
                    request_timeout_ms=patience.ms(patience.SEND_S),
                    metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
                )
                await producer.start()
                self._producer = producer
        return self._producer

    async def stop(self) -> None:
        """Flush and close; what cannot be flushed fails within the request's time limit."""
        async with self._starting:
            producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()
