"""Metrics count in bulk what Prometheus would count one by one; health is progress."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from shared.telemetry import health
from shared.telemetry.health import Progress
from shared.telemetry.metrics import AGE_BUCKETS_S, BulkHistogram, ServiceMetrics


def test_bulk_histogram_equals_one_by_one() -> None:
    values = np.abs(np.random.default_rng(0).lognormal(0, 2, 1000))
    ours = BulkHistogram("age_seconds", "d", ("topic",), AGE_BUCKETS_S)
    ours.observe(values[:400], "t")
    ours.observe(values[400:], "t")
    registry = CollectorRegistry()
    registry.register(ours)
    theirs = CollectorRegistry()
    histogram = Histogram("age_seconds", "d", ("topic",), buckets=AGE_BUCKETS_S, registry=theirs)
    for value in values:
        histogram.labels("t").observe(value)

    def samples(of: CollectorRegistry) -> dict[tuple[str, float], float]:
        return {
            (s.name, float(s.labels.get("le", "nan").replace("+Inf", "inf"))): s.value
            for family in of.collect()
            for s in family.samples
            if s.name.endswith("_bucket")
        }

    assert samples(registry) == samples(theirs)


def test_common_names() -> None:
    metrics = ServiceMetrics("ingest")
    metrics.took("a", 5)
    metrics.sent("b", 4)
    metrics.set_aside("a", "truncated")
    metrics.aged("b", np.array([0, 1], dtype=np.int64))
    page = generate_latest(metrics.registry).decode()
    assert 'tocsin_records_in_total{service="ingest",topic="a"} 5.0' in page
    assert 'tocsin_records_out_total{service="ingest",topic="b"} 4.0' in page
    assert (
        'tocsin_records_rejected_total{reason="truncated",service="ingest",topic="a"} 1.0' in page
    )
    assert 'tocsin_record_age_seconds_count{service="ingest",topic="b"} 2.0' in page


def test_stuck_is_lag_without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
    progress = Progress(timeout_s=60)
    progress.report("t:0", done=5, lag=10)
    progress.report("t:0", done=5, lag=10)
    now[0] = 59
    assert progress.stuck() == []
    now[0] = 61
    assert progress.stuck() == ["t:0"]
    progress.waits_for = "database"
    assert progress.stuck() == []
    progress.waits_for = None
    progress.report("t:0", done=6, lag=9)
    assert progress.stuck() == []


def test_idle_is_live(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
    progress = Progress(timeout_s=60)
    progress.report("t:0", done=5, lag=0)
    now[0] = 1e6
    progress.report("t:0", done=5, lag=0)
    assert progress.stuck() == []
