"""The benchmark's command: what it refuses, what it makes of several runs, what it draws."""

import pytest

from bench.effects import count_on
from bench.mesh import main, median
from bench.plot import draw
from bench.report import conditions, show

PAGE = """\
# HELP tocsin_records_in_total Records taken
tocsin_records_in_total{service="archive",topic="ztf_alerts"} 120.0
tocsin_records_in_total{service="archive",topic="lsst_alerts"} 7.0
tocsin_records_in_total_created{service="archive",topic="ztf_alerts"} 1.7e+09
tocsin_records_out_total{service="archive",topic="ztf_alerts"} 5.0
tocsin_archive_packets_total 33.0
tocsin_archive_packets_created 1.7e+09
"""


def run(rate, *, balances=True, restarts=0):
    return {
        "alerts_per_s": rate,
        "cpu_us_per_alert": {"kafka": 300.0, "river": 250.0, "generator": 90.0},
        "watching_us_per_alert": 3.0,
        "memory_mib": {"kafka": {"first": 1, "last": 2, "max": 3, "slope_mib_per_h": None}},
        "machine": {"calibration_ms": [7.0, 7.2], "load_before": 0.1, "cpu": "Test", "cores": 2,
                    "memory_gib": 23.4, "system": "Linux", "python": "3.11"},
        "workload": {"fused": True, "everything": True, "compressed": True,
                     "alerts": 100, "warm_up": 10,
                     "mode": "live, flat out", "source": "132 real ztf packets, re-keyed"},
        "audit": {"balances": balances},
        "restarts": restarts,
        "age_s": {"alerts.correlated": {"p50": 1.0, "p95": 2.0, "p99": 3.0}, "out": {}},
        "age_over_time_s": {
            "alerts.correlated": {"t_s": [0, 1], "p50": [1, 1], "p95": [2, 2], "p99": [3, 3]},
            "out": {},
        },
        "per_alert": {"associations": 0.02, "deliveries": 2.2},
        "alerts_per_envelope": {"alerts.correlated": 180.0},
        "most_waiting": 40.0,
        "generator_s": 0.1,
        "elapsed_s": 0.2,
    }  # fmt: skip


def test_counts_of_one_topic_on_a_page():
    assert count_on(PAGE, "tocsin_records_in_total", "ztf_alerts") == 120.0
    assert count_on(PAGE, "tocsin_records_in_total", "other") == 0.0
    assert count_on(PAGE, "tocsin_records_in_total", "") == 127.0
    assert count_on(PAGE, "tocsin_archive_packets_total", "") == 33.0


def test_median_is_one_run_and_tells_of_all():
    found = median([run(1500.0), run(900.0), run(1200.0)])
    assert found["alerts_per_s"] == 1200.0
    assert sorted(one["alerts_per_s"] for one in found["runs"]) == [900.0, 1200.0, 1500.0]
    assert found["all_balance"]
    assert median([run(1.0), run(2.0)])["alerts_per_s"] == 1.0


@pytest.mark.parametrize("spoilt", [{"balances": False}, {"restarts": 1}])
def test_one_bad_run_spoils_the_whole(spoilt):
    assert not median([run(1.0), run(2.0, **spoilt), run(3.0)])["all_balance"]


@pytest.mark.parametrize(
    "arguments", [["--seconds", "10"], ["--burst", "--rate", "3"], ["--repeat", "0"]]
)
def test_refused_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err


def test_tables_and_picture_state_the_conditions(tmp_path, capsys):
    results = median([run(900.0), run(1000.0)])
    show(results)
    shown = capsys.readouterr().out
    assert "900 alerts/s" in shown
    assert "load before 0.1" in "\n".join(conditions(results))
    draw(results, tmp_path / "run.png")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
