"""``PacketReader``: one group's share in a source of packets, and its own account of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.kafka.app import ServiceApp
from shared.kafka.dead_letters import letter_of_record, reject
from shared.kafka.policy import Failure, carry_out
from shared.kafka.records import Packet
from shared.settings import ServiceSettings

PacketDelivery = Callable[[list[Packet]], Awaitable[None]]


@dataclass(frozen=True)
class PacketReader:
    """Who gets the packets of a source, under the one error policy."""

    app: ServiceApp
    settings: ServiceSettings
    group: str
    """Consumer group, full name."""
    handle: PacketDelivery
    """Returns only when its effect is durable; must bear being asked twice."""

    async def carry(self, packets: list[Packet]) -> None:
        """Hand ``packets`` over; back when all are dealt with."""
        metrics = self.app.metrics
        started = time.perf_counter()

        async def set_aside(packet: Packet, failure: Failure) -> None:
            letter = letter_of_record(metrics.service, packet, failure)
            await reject(self.app, self.settings, [letter])

        await carry_out(packets, self.handle, set_aside, self.app.progress)
        elapsed = time.perf_counter() - started
        for topic in {packet.topic for packet in packets}:
            metrics.batch_seconds.labels(metrics.service, topic).observe(elapsed)
