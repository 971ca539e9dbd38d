"""Kafka: a topic per filter. At least once, in order within an object; waits while it is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shared.kafka.records import Message

Send = Callable[[str, Sequence[Message]], Awaitable[None]]
"""``Outbox.send``: returns when all in-sync replicas have the messages."""


class KafkaChannel:
    """Sends to topics of the mesh's own Kafka."""

    name = "kafka"

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, destination: str, messages: Sequence[Message]) -> None:
        """See ``channels.base``. The topic must exist and have the river's partitions."""
        await self._send(destination, messages)
