"""Ages are summed up as they are, whatever order alerts come in."""

import numpy as np
import pytest

from bench.ages import Ages


def test_percentiles():
    found = Ages(np.zeros(101), np.arange(101.0)[::-1], 1).percentiles()
    assert found == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert Ages(np.zeros(0), np.zeros(0), 0).percentiles() == {}


def test_over_time_shows_the_minute_in_which_alerts_were_old():
    emitted = 1000.0 + np.arange(0.0, 240.0, 0.1)
    age = np.where((emitted >= 1060) & (emitted < 1120), 9.0, 1.0)
    shuffled = np.random.default_rng(1).permutation(len(emitted))
    course = Ages(emitted[shuffled], age[shuffled], 1).over_time(1000.0)
    assert len(course["t_s"]) == 120
    old = [t for t, p50 in zip(course["t_s"], course["p50"], strict=True) if p50 == 9.0]
    assert min(old) == pytest.approx(61, abs=2)
    assert max(old) == pytest.approx(119, abs=2)


def test_over_time_of_nothing_is_empty():
    assert Ages(np.zeros(0), np.zeros(0), 0).over_time(0.0) == {}
