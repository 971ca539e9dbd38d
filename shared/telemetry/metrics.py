"""The instruments every service has. Counted per batch; a failure here never stops a record."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

AGE_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 30.0,
                 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)  # fmt: skip
"""Upper edges, seconds, fine where the latency objectives lie (1 s and 5 s)."""


class BulkHistogram(Collector):
    """A histogram that takes arrays: one NumPy pass a batch instead of one call a record."""

    def __init__(
        self, name: str, documentation: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = labels
        self._edges = np.asarray(buckets)
        self._counts: dict[tuple[str, ...], npt.NDArray[np.int64]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, values: npt.NDArray[np.float64], *labels: str) -> None:
        """Count every value of ``values``, shape (n,), under ``labels``."""
        slots = np.searchsorted(self._edges, values, side="left")
        counts = np.bincount(slots, minlength=len(self._edges) + 1)
        self._counts[labels] = self._counts.get(labels, np.zeros_like(counts)) + counts
        self._sums[labels] = self._sums.get(labels, 0.0) + float(np.sum(values))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Cumulative buckets, as Prometheus wants them."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        edges = [*(f"{edge:g}" for edge in self._edges), "+Inf"]
        for labels, counts in list(self._counts.items()):
            cumulative = np.cumsum(counts)
            buckets = [(edge, float(n)) for edge, n in zip(edges, cumulative, strict=True)]
            family.add_metric(labels, buckets, self._sums[labels])
        yield family


class ServiceMetrics:
    """The common instruments, labelled by service and topic, in a registry of their own."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        labels = ("service", "topic")
        own = self.registry
        self.records_in = Counter(
            "tocsin_records_in", "Records taken from a topic", labels, registry=own
        )
        self.records_out = Counter(
            "tocsin_records_out", "Records sent and acknowledged", labels, registry=own
        )
        self.rejected = Counter(
            "tocsin_records_rejected",
            "Records set aside as dead letters",
            (*labels, "reason"),
            registry=own,
        )
        self.batch_seconds = Histogram(
            "tocsin_batch_seconds",
            "Time to carry out one take, sends included",
            labels,
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
            registry=own,
        )
        self.batch_size = Histogram(
            "tocsin_batch_size",
            "Records in one take",
            labels,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
            registry=own,
        )
        self.consumer_lag = Gauge(
            "tocsin_consumer_lag", "Messages not committed", (*labels, "partition"), registry=own
        )
        self.record_age = BulkHistogram(
            "tocsin_record_age_seconds",
            "Age at output, from the survey's Kafka timestamp",
            labels,
            AGE_BUCKETS_S,
        )
        self.registry.register(self.record_age)

    def beside(self, service: str) -> ServiceMetrics:
        """The same instruments and registry for another service in this process."""
        other = copy.copy(self)
        other.service = service
        return other

    def took(self, topic: str, records: int) -> None:
        """``records`` came from ``topic``."""
        self.records_in.labels(self.service, topic).inc(records)
        self.batch_size.labels(self.service, topic).observe(records)

    def sent(self, topic: str, records: int) -> None:
        """``records`` went to ``topic`` and were acknowledged."""
        self.records_out.labels(self.service, topic).inc(records)

    def set_aside(self, topic: str, reason: str, records: int = 1) -> None:
        """``records`` from ``topic`` became dead letters."""
        self.rejected.labels(self.service, topic, reason).inc(records)

    def aged(self, topic: str, emitted_ms: npt.NDArray[np.int64]) -> None:
        """Records emitted by the survey at ``emitted_ms`` (Unix ms) have left for ``topic``."""
        ages_s = time.time() - np.asarray(emitted_ms, dtype=np.float64) / 1000.0
        self.record_age.observe(ages_s, self.service, topic)
