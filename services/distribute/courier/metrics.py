"""What the courier measures, on a page of its own."""

from __future__ import annotations

import contextlib

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.settings import ServiceSettings
from shared.telemetry.health import Progress
from shared.telemetry.http import HealthServer


class CourierMetrics:
    """Deliveries by channel and state, lengths and ages of queues."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.registry = CollectorRegistry()
        self.progress = Progress(timeout_s=settings.progress_timeout_s)
        self._deliveries = Counter(
            "tocsin_courier_deliveries",
            "Deliveries that came into a state: queued, sent, confirmed, failed, retried",
            ("channel", "state"),
            registry=self.registry,
        )
        self._away = Counter(
            "tocsin_courier_peer_away",
            "Attempts at a peer that was away or asked to wait",
            ("channel",),
            registry=self.registry,
        )
        self._queue = Gauge(
            "tocsin_courier_queue",
            "Deliveries that are not settled",
            ("channel", "subscription"),
            registry=self.registry,
        )
        self._age = Gauge(
            "tocsin_courier_oldest_seconds",
            "Age of the oldest delivery that is not settled",
            ("channel", "subscription"),
            registry=self.registry,
        )
        self._subscriptions = Gauge(
            "tocsin_courier_subscriptions", "Active subscriptions", ("channel",),
            registry=self.registry,
        )  # fmt: skip
        self._server = HealthServer(
            self.registry, self.progress, settings.http_host, settings.http_port
        )

    def came(self, channel: str, state: str, deliveries: int) -> None:
        """So many deliveries are in ``state`` now."""
        if deliveries:
            self._deliveries.labels(channel, state).inc(deliveries)

    def away(self, channel: str) -> None:
        """A peer was away."""
        self._away.labels(channel).inc()

    def waiting(self, channel: str, subscription: str, length: int, age_s: float) -> None:
        """How long a queue is, and how old what it holds."""
        self._queue.labels(channel, subscription).set(length)
        self._age.labels(channel, subscription).set(age_s)

    def ended(self, channel: str, subscription: str) -> None:
        """A subscription is no longer carried out."""
        for gauge in (self._queue, self._age):
            with contextlib.suppress(KeyError):  # ended before it was measured
                gauge.remove(channel, subscription)

    def subscriptions(self, by_channel: dict[str, int]) -> None:
        """Active subscriptions by channel."""
        for channel, count in by_channel.items():
            self._subscriptions.labels(channel).set(count)

    async def start(self) -> None:
        """Serve the page, if a port is set."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop serving it."""
        await self._server.stop()
