"""What the VOEvent broker measures, on a page of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.settings import ServiceSettings
from shared.telemetry.health import Progress
from shared.telemetry.http import HealthServer


class VtpMetrics:
    """Connections, packets, receipts, and how long a round to all subscribers takes."""

    def __init__(self, settings: ServiceSettings) -> None:
        own = CollectorRegistry()
        self.progress = Progress(timeout_s=settings.progress_timeout_s)
        self.subscribers = Gauge(
            "tocsin_vtp_subscribers", "Connections of subscribers", registry=own
        )
        self.backlog = Gauge(
            "tocsin_vtp_backlog_bytes", "Not yet written, of the subscriber most behind",
            registry=own,
        )  # fmt: skip
        self.relayed = Counter(
            "tocsin_vtp_relayed", "Packets handed to subscribers' connections", registry=own
        )
        self.receipts = Counter(
            "tocsin_vtp_receipts", "ack and nak from subscribers", ("role",), registry=own
        )
        self.closed = Counter(
            "tocsin_vtp_closed", "Connections ended by us, and why", ("reason",), registry=own
        )
        self.received = Counter(
            "tocsin_vtp_received", "Packets of authors: taken, known, refused", ("outcome",),
            registry=own,
        )  # fmt: skip
        self.round_seconds = Histogram(
            "tocsin_vtp_round_seconds",
            "From a packet's coming to its being written to every subscriber",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=own,
        )
        self._server = HealthServer(own, self.progress, settings.http_host, settings.http_port)

    async def start(self) -> None:
        """Serve the page, if a port is set."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop serving it."""
        await self._server.stop()
