"""What a benchmark says of the mesh's processes, from what ``tocsin status`` says."""

import pytest

from bench.processes import MemoryWatch, Processes, course


def process(name, service, pid, port=None, restarts=0):
    return {"name": name, "service": service, "pid": pid, "http_port": port, "restarts": restarts}


def test_processes_of_a_fused_mesh_with_two_rivers():
    status = {
        "processes": [
            process("kafka", None, 1),
            process("river-1", "river", 2, 19100),
            process("river-2", "river", 3, 19101, restarts=2),
            process("archive", "archive", None, 19102),
        ]
    }
    found = Processes.of_status(status)
    assert found.pids == {"kafka": 1, "river-1": 2, "river-2": 3}
    assert found.ports == {"river": [19100, 19101]}
    assert found.restarts == {"kafka": 0, "river-1": 0, "river-2": 2}


def test_slope_is_of_what_comes_after_settling():
    times = [float(t) for t in range(0, 1801, 10)]
    # 300 MiB more while settling, then 6 MiB an hour.
    mib = [200 + min(t, 300.0) + t / 600 for t in times]
    found = course(times, mib)
    assert found["first"] == 200
    assert found["max"] == found["last"] == pytest.approx(503)
    assert found["slope_mib_per_h"] == pytest.approx(6.0)


def test_no_slope_of_a_short_run_and_nothing_of_none():
    assert course([0.0, 60.0], [100.0, 200.0])["slope_mib_per_h"] is None
    assert course([], [])["max"] is None


def test_a_process_that_went_is_left_out(monkeypatch):
    watch = MemoryWatch(Processes({"here": 1, "gone": 2}, {}, {}))
    watch.samples = [(0.0, {"here": 1.0, "gone": 5.0}), (1.0, {"here": 2.0})]
    found = watch.summary()
    assert (found["here"]["last"], found["gone"]["last"]) == (2.0, 5.0)
