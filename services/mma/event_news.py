"""Tells what became of events: coincidences, the event list, and that the worker is alive."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence

import orjson

from services.mma.correlator import Correlator
from services.mma.metrics import MmaMetrics
from services.mma.settings import MmaSettings
from shared.kafka.records import Message
from shared.kafka.topics import Topic

Send = Callable[[str, Sequence[Message]], Awaitable[None]]


class EventNews:
    """Looks every second or so whether there is news of events, and sends it.

    Parameters
    ----------
    correlator, metrics
        The memory, and what counts.
    settings
        How often, and the prefix of topics.
    send
        Back when Kafka has acknowledged.
    """

    def __init__(
        self, correlator: Correlator, metrics: MmaMetrics, settings: MmaSettings, send: Send
    ) -> None:
        self._correlator = correlator
        self._metrics = metrics
        self._settings = settings
        self._send = send
        self._worker = f"{socket.gethostname()}-{os.getpid()}"
        self._beat_at_s = 0.0

    async def tell_for_ever(self) -> None:
        """Tell news as it comes; ends only when it is cancelled."""
        while True:
            await self.tell()
            pause_s = 0.0 if self._correlator.event_list.has_more else self._settings.mma_tell_s
            await asyncio.sleep(pause_s)

    async def tell(self) -> None:
        """Send what is news now."""
        coincidences = self._correlator.coincidence_news()
        for one in coincidences:
            self._metrics.coincidence(one.state)
        await self._out(Topic.COINCIDENCES, [Message(c.to_json(), c.key) for c in coincidences])
        events = self._correlator.event_news()
        await self._out(Topic.EVENTS, [Message(e.to_json(), e.key) for e in events])
        now_s = time.time()
        if now_s - self._beat_at_s >= self._settings.mma_heartbeat_s:
            self._beat_at_s = now_s
            await self._out(Topic.HEARTBEAT, [Message(self.heartbeat(now_s), b"mma")])

    def heartbeat(self, now_s: float) -> bytes:
        """JSON: who lives, how much it holds, and when it last heard of what."""
        correlator = self._correlator
        return orjson.dumps(
            {
                "service": "mma",
                "worker": self._worker,
                "time_ms": int(now_s * 1000),
                "every_s": self._settings.mma_heartbeat_s,
                "events": len(correlator.events),
                "active_events": len(correlator.events.snapshot().events),
                "recent_alerts": len(correlator.recent_alerts),
                "associations": len(correlator.ledger),
                "last_notice_ms": correlator.last_notice_ms,
                "last_injection_ms": correlator.last_injection_ms,
            }
        )

    async def _out(self, topic: Topic, messages: Sequence[Message]) -> None:
        if messages:
            await self._send(topic.named(self._settings.topic_prefix), messages)
