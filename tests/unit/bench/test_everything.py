"""The workload of a mesh in full use, and what is said of it beside the first one."""

import io

import pytest
from rich.console import Console

from bench.everything import FILTERS, filter_text
from bench.first_proven import FIRST_US_PER_ALERT, FUSED, since_first_proven
from shared.filters.engine import FilterEngine
from shared.filters.user_filter import read_filters


def test_there_are_25_sound_filters_of_different_names(tmp_path):
    path = tmp_path / "filters.toml"
    path.write_text(filter_text())
    filters = read_filters(path)
    assert len({each.name for each in filters}) == len(filters) == FILTERS
    FilterEngine(filters)


@pytest.mark.parametrize("fused", [False, True])
def test_the_sum_of_then_does_not_depend_on_how_it_runs_now(fused):
    now = {"river": 400.0, "kafka": 200.0} if fused else dict.fromkeys(FUSED, 100.0)
    results = {
        "cpu_us_per_alert": now,
        "workload": {"everything": fused},
        "machine": {"calibration_ms": [7.3, 9.0]},
        "alerts_per_s": 1_000.0,
    }
    screen = Console(width=200, file=io.StringIO())
    screen.print(since_first_proven(results))
    lines = screen.file.getvalue().splitlines()
    (last,) = (line for line in lines if line.startswith("│ all"))
    assert f"{sum(FIRST_US_PER_ALERT.values()):,.0f}" in last
    assert ("ten catalogs" in screen.file.getvalue()) is fused
    assert last.count(f"{sum(now.values()):,.0f}") == 2
