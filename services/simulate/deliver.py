"""Sending packets to a survey's topic, byte for byte, every delivery confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import KafkaException, Producer

from services.simulate.settings import SimulateSettings
from shared.kafka.admin import ensure_topics
from shared.kafka.connection import librdkafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES

_POLL_EVERY = 200
_KEEP_ERRORS = 5
_LINGER_MS = 5
_BULK_LINGER_MS = 100
_BULK_BUFFER_MB = 8


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the packets that were sent."""

    topic: str
    sent: int
    delivered: int
    errors: tuple[str, ...]
    """The first few reasons of failures."""

    @property
    def is_complete(self) -> bool:
        """Kafka has acknowledged every packet."""
        return self.delivered == self.sent


class SurveyTopic:
    """A survey topic to write to: idempotent, acknowledged by all in-sync replicas, no key.

    No key, as ZTF sends: packets spread over the partitions. ``send`` waits when the buffer is
    full.

    Parameters
    ----------
    settings, topic
        Where to.
    compression
        Of Kafka's message batches. ZTF's packets hold compressed images and gain little (lz4 leaves
        70 %), LSST's hold plain ones (43 %).
    in_bulk
        Whether packets come as fast as they can be sent: each then waits up to 0.1 s for others,
        and few are buffered. librdkafka spins where packets are ready that it may not send yet
        (five requests under way): measured, 90 instead of 300 CPU-microseconds a packet.

    Raises
    ------
    shared.errors.UpstreamUnavailableError
        If Kafka does not answer.
    """

    def __init__(
        self,
        settings: SimulateSettings,
        topic: str,
        *,
        in_bulk: bool = False,
        compression: Literal["none", "lz4"] = "none",
    ) -> None:
        asyncio.run(ensure_topics(settings, [topic]))
        self.topic = topic
        self._sent = self._delivered = 0
        self._errors: list[str] = []
        self._timeout_s = settings.send_timeout_s
        buffer_mb = settings.send_buffer_mb
        self._producer = Producer(
            {
                **librdkafka_connection(settings),
                "enable.idempotence": True,
                "acks": "all",
                "log_level": 3,  # that a young broker is still loading is no news
                "compression.type": compression,
                "linger.ms": _BULK_LINGER_MS if in_bulk else _LINGER_MS,
                "batch.size": 1_000_000,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "queue.buffering.max.kbytes": 1024
                * (min(_BULK_BUFFER_MB, buffer_mb) if in_bulk else buffer_mb),
                "queue.buffering.max.messages": 200_000,
                "delivery.timeout.ms": int(settings.send_timeout_s * 1000),
            }
        )

    def send(self, payload: bytes) -> None:
        """Hand over one packet; back at once unless the buffer is full."""
        while True:
            try:
                self._producer.produce(self.topic, payload, on_delivery=self._on_delivery)
                break
            except BufferError:
                self._producer.poll(0.2)
            except KafkaException as error:  # too large for the topic, or the topic is not allowed
                self._note(str(error))
                break
        self._sent += 1
        if self._sent % _POLL_EVERY == 0:
            self._producer.poll(0)

    def finish(self) -> Account:
        """Wait for every acknowledgement and give the account."""
        self._producer.flush(self._timeout_s + 5.0)
        return Account(self.topic, self._sent, self._delivered, tuple(self._errors))

    def _on_delivery(self, error: Any, _message: Any) -> None:
        if error is None:
            self._delivered += 1
        else:
            self._note(str(error))

    def _note(self, reason: str) -> None:
        if len(self._errors) < _KEEP_ERRORS:
            self._errors.append(reason)
