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
        self._server = HealthServer(
            registry, Progress(timeout_s=settings.progress_timeout_s),
            settings.http_host, settings.http_port,
        )  # fmt: skip

    def taken(self, source: str, taken: Taken) -> None:
        """A payload of ``source`` was dealt with."""
        kind = source.split("://", maxsplit=1)[0]
        self._received.labels(kind, taken.outcome).inc()
        self._last.set(time.time())
        if taken.outcome == "taken" and taken.notice is not None:
            age_s = time.time() - taken.notice.issued_ms / 1000.0
            self._age.labels(kind).observe(max(age_s, 0.0))

    async def start(self) -> None:
        """Serve the page, if a port is set."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop serving it."""
        await self._server.stop()
