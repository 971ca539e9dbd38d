"""No stage's hot path has become two and a half times dearer than its committed figure."""

from __future__ import annotations

import pytest

from bench.gate import LIMIT, committed, failures, figures, stages


@pytest.fixture(scope="module")
def works():
    return stages()


def test_no_stage_is_slower_than_allowed(works):
    assert failures(figures(works), committed()) == []


def test_a_stage_three_times_slower_is_found(works):
    def slowed() -> None:
        for _ in range(3):
            works["classify"]()

    found = figures({"classify": works["classify"], "slowed": slowed})
    assert failures({"classify": found["classify"]}, {"classify": found["classify"]}) == []
    (said,) = failures({"classify": found["slowed"]}, {"classify": found["classify"]})
    assert said.startswith("classify:")


def test_the_limit_is_where_it_is_said_to_be():
    assert failures({"mma": LIMIT * 0.999}, {"mma": 1.0}) == []
    assert len(failures({"mma": LIMIT * 1.001}, {"mma": 1.0})) == 1


def test_a_stage_without_a_committed_figure_fails():
    assert "--write" in failures({"new": 1.0}, {})[0]


def test_every_stage_has_a_committed_figure(works):
    assert set(committed()) == set(works)
