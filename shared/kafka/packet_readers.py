"""Who gets the packets of a source, each at its own pace, and how far each has come."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.kafka.app import ServiceApp
from shared.kafka.dead_letters import letter_of_record, reject
from shared.kafka.policy import Failure, carry_out
from shared.kafka.records import Packet
from shared.settings import ServiceSettings

PacketDelivery = Callable[[list[Packet]], Awaitable[None]]
Place = tuple[str, int]
"""Topic and partition."""
_TAKES_BEHIND = 2
"""How far a lane may be behind the first; a take of 400 packets is 24 to 56 MB."""


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


class PacketLane:
    """One reader's takes, in order. Only the first lane is waited for, unless one lags too far.

    A disk that takes its time over one take must not hold up the stages, nor they the disk.
    """

    def __init__(self, reader: PacketReader) -> None:
        self.reader = reader
        self._done: dict[Place, int] = {}
        self._lock = threading.Lock()
        self._waiting: asyncio.Queue[list[Packet]] = asyncio.Queue(_TAKES_BEHIND)

    async def carry(self, packets: list[Packet]) -> None:
        """Hand a take over now; back when it is dealt with."""
        await self.reader.carry(packets)
        with self._lock:
            for packet in packets:
                self._done[packet.topic, packet.partition] = packet.offset + 1

    async def put(self, packets: list[Packet]) -> None:
        """Have a take carried when its turn comes; waits if too many are before it."""
        await self._waiting.put(packets)

    async def run(self) -> None:
        """Carry what was put, until cancelled."""
        while True:
            packets = await self._waiting.get()
            await self.carry(packets)
            self._waiting.task_done()

    async def drained(self) -> None:
        """Back when everything that was put has been carried."""
        await self._waiting.join()

    def done(self) -> dict[Place, int]:
        """The offset after the last packet dealt with, by place. Asked from another thread."""
        with self._lock:
            return dict(self._done)

    def forget(self, places: set[Place]) -> None:
        """These are another worker's now."""
        with self._lock:
            for place in places:
                self._done.pop(place, None)
