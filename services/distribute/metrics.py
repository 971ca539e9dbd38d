"""What distribute measures beyond the common instruments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class DistributeMetrics:
    """Deliveries by destination, repeats that were held back, and how the filters are doing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._deliveries = Counter(
            "tocsin_deliveries",
            "Messages acknowledged by the peer",
            ("channel", "destination"),
            registry=registry,
        )
        self._repeats = Counter(
            "tocsin_delivery_repeats",
            "Messages not sent because they had been",
            ("destination",),
            registry=registry,
        )
        self._paused = Gauge(
            "tocsin_filter_paused",
            "1 if the filter failed or exceeded its limits and is set aside",
            ("filter",),
            registry=registry,
        )
        self.filter_seconds = Histogram(
            "tocsin_filter_seconds",
            "Time to run all filters on one take and encode what they want",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=registry,
        )
        self._names: set[str] = set()

    def running(self, filters: Iterable[str]) -> None:
        """These filters run from now on, and no others."""
        names = set(filters)
        for gone in self._names - names:
            self._paused.remove(gone)
        for name in names:
            self._paused.labels(name).set(0)
        self._names = names

    def delivered(self, channel: str, destination: str, messages: int) -> None:
        """``messages`` are with the peer."""
        self._deliveries.labels(channel, destination).inc(messages)

    def held_back(self, destination: str, messages: int) -> None:
        """``messages`` had been delivered before."""
        if messages:
            self._repeats.labels(destination).inc(messages)

    def paused(self, filters: Mapping[str, str]) -> None:
        """These filters are paused."""
        for name in filters:
            self._paused.labels(name).set(1)
