"""What the receivers measure, on a page of their own."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.mma.receivers.intake import Taken
from shared.settings import ServiceSettings
from shared.telemetry.health import Progress
from shared.telemetry.http import HealthServer

_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 10_000)


class ReceiverMetrics:
    """Notices by source and outcome, how late they came, and when the last one did."""

    def __init__(self, settings: ServiceSettings) -> None:
        registry = CollectorRegistry()
        self._received = Counter(
            "tocsin_mma_received",
            "Payloads that came: taken, known before, refused",
            ("source", "outcome"),
            registry=registry,
        )
        self._age = Histogram(
            "tocsin_mma_received_age_seconds",
            "From a notice's time of issue to its being safe in Kafka",
            ("source",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._last = Gauge(
            "tocsin_mma_received_last_seconds",
            "Unix time of the last payload, injections too: the receivers' heartbeat",
            registry=registry,
        )
        self._returned = Histogram(
            "tocsin_mma_injection_seconds",
            "From a test notice's injection to its association's being on the topic",
            buckets=(0.3, 1, 2, 3, 5, 10, 30, 100),
            registry=registry,
        )
        self._last_returned = Gauge(
            "tocsin_mma_injection_last_seconds",
            "The same of the last test notice that came back",
            registry=registry,
        )
        self._lost = Counter(
            "tocsin_mma_injections_lost",
            "Test notices whose association was not back in time",
            registry=registry,
        )
        self._overdue = Gauge(
            "tocsin_mma_injections_overdue",
            "Test notices that are overdue now: above 0, notices do not become associations",
            registry=registry,
        )
        self._progress = Progress(timeout_s=settings.progress_timeout_s)
        self._server = HealthServer(
            registry, self._progress, settings.http_host, settings.http_port
        )

    def taken(self, source: str, taken: Taken) -> None:
        """A payload of ``source`` was dealt with."""
        kind = source.split("://", maxsplit=1)[0]
        self._received.labels(kind, taken.outcome).inc()
        self._last.set(time.time())
        if taken.outcome == "taken" and taken.notice is not None:
            age_s = time.time() - taken.notice.issued_ms / 1000.0
            self._age.labels(kind).observe(max(age_s, 0.0))

    def returned(self, seconds: float) -> None:
        """A test notice came back as an association."""
        self._returned.observe(max(seconds, 0.0))
        self._last_returned.set(seconds)

    def overdue(self, count: int) -> None:
        """So many test notices have not come back in time."""
        self._overdue.set(count)

    def lost(self) -> None:
        """A test notice was not back in time."""
        self._lost.inc()

    def ready(self) -> None:
        """All that is on the topic is known, and every receiver runs."""
        self._progress.is_ready = True

    async def start(self) -> None:
        """Serve the page, if a port is set."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop serving it."""
        await self._server.stop()
