"""Readings of /metrics: sums over processes, differences, quantiles of ages."""

import math

import numpy as np
import pytest
from prometheus_client.exposition import generate_latest

from services.console.scrape import ServiceReading
from services.console.watch import StageRates
from shared.telemetry.metrics import ServiceMetrics


def exposed(records, ages_s=()):
    metrics = ServiceMetrics("xmatch")
    metrics.took("tocsin.alerts", records)
    metrics.sent("tocsin.alerts.matched", records - 1)
    metrics.set_aside("tocsin.alerts", "truncated")
    metrics.record_age.observe(np.asarray(ages_s, float), "xmatch", "tocsin.alerts.matched")
    return generate_latest(metrics.registry).decode()


def test_the_common_instruments_are_read_and_processes_added():
    reading = ServiceReading()
    reading.add_metrics(exposed(100, [0.06] * 99))
    reading.add_metrics(exposed(50, [0.06] * 49))
    assert (reading.records_in, reading.records_out, reading.rejected) == (150, 148, 2)
    assert reading.cpu_s > 0
    assert reading.age_counts[math.inf] == 148


def test_ages_are_interpolated_within_their_bucket():
    reading = ServiceReading(age_counts={0.1: 0.0, 0.2: 100.0, math.inf: 100.0})
    assert reading.age_s(0.5) == pytest.approx(0.15)
    assert reading.age_s(1.0) == pytest.approx(0.2)


def test_ages_beyond_the_last_edge_are_not_invented():
    reading = ServiceReading(age_counts={0.1: 1.0, math.inf: 10.0})
    assert reading.age_s(0.95) == 0.1
    assert ServiceReading().age_s(0.5) is None


def test_rates_are_of_the_interval_only():
    earlier = ServiceReading(
        records_in=100, records_out=100, cpu_s=1.0, age_counts={1.0: 100, math.inf: 100}
    )
    now = ServiceReading(
        records_in=300, records_out=280, cpu_s=1.1, age_counts={1.0: 100, math.inf: 280}
    )
    rates = StageRates.between("xmatch", earlier, now, interval_s=2.0, lag=4)
    assert (rates.in_per_s, rates.out_per_s, rates.records_in, rates.lag) == (100.0, 90.0, 300, 4)
    assert rates.cpu_us_per_record == pytest.approx(500.0)
    assert rates.age_p50_s == 1.0


def test_a_restarted_process_is_not_counted_backwards():
    earlier = ServiceReading(records_in=100, cpu_s=9.0)
    assert ServiceReading(records_in=10, cpu_s=1.0).since(earlier).records_in == 10
