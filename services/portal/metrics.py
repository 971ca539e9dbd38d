"""What the portal measures: requests by route and status, their time, open streams."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from services.portal.limits import Limits
from shared.telemetry.metrics import ServiceMetrics


class PortalMetrics(ServiceMetrics):
    """The common instruments and the portal's own, in one registry."""

    def __init__(self, limits: Limits) -> None:
        super().__init__("portal")
        self.requests = Counter(
            "tocsin_portal_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tocsin_portal_request_seconds",
            "From a request's headers to the end of its answer, streams apart",
            ("route",),
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
            registry=self.registry,
        )
        streams = Gauge(
            "tocsin_portal_streams", "Event streams that are open", registry=self.registry
        )
        streams.set_function(lambda: limits.streams_open)
