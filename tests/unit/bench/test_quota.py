"""Quotas in folders that look like control groups."""

import subprocess

import pytest

from bench.quota import NoQuotaError, Quota
from bench.workers import Row, TooShortError, is_linear, middle


@pytest.fixture
def version_1(tmp_path):
    group = tmp_path / "cpu" / "ours"
    group.mkdir(parents=True)
    for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us", "cgroup.procs"):
        (group / name).touch()
    return tmp_path


@pytest.fixture
def version_2(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("cpu memory")
    (tmp_path / "cgroup.subtree_control").touch()
    (tmp_path / "ours").mkdir()
    for name in ("cpu.max", "cgroup.procs"):
        (tmp_path / "ours" / name).touch()
    return tmp_path


def entered(root, cores, monkeypatch):
    monkeypatch.setattr("bench.quota._PATIENCE_S", 0.0)  # real groups vanish with their files
    return Quota("ours", cores, root)


def test_version_1(version_1, monkeypatch):
    with entered(version_1, 0.5, monkeypatch) as quota:
        assert (quota.folder / "cpu.cfs_quota_us").read_text() == "50000"
        (quota.folder / "cpu.stat").write_text("nr_throttled 3\nthrottled_time 2500000000\n")
        assert quota.throttled_s() == 2.5


def test_version_2(version_2, monkeypatch):
    with entered(version_2, 2.0, monkeypatch) as quota:
        assert (quota.folder / "cpu.max").read_text() == "200000 100000"
        assert (version_2 / "cgroup.subtree_control").read_text() == "+cpu"
        (quota.folder / "cpu.stat").write_text("usage_usec 9\nthrottled_usec 1500000\n")
        assert quota.throttled_s() == 1.5


def test_a_command_enters_the_group_before_it_runs(version_1, monkeypatch):
    with entered(version_1, 1.0, monkeypatch) as quota:
        said = subprocess.run(
            quota.command(["sh", "-c", "echo $$ $1", "x", "a b"]),
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        pid = (quota.folder / "cgroup.procs").read_text().strip()
    assert said == f"{pid} a b\n"


def test_no_controller_is_said(tmp_path):
    with pytest.raises(NoQuotaError, match="cgroups v1"), Quota("ours", 1.0, tmp_path):
        pass


def row(alerts_per_s, used_cores):
    return Row(1, 1.0, alerts_per_s, used_cores, 1e6 * used_cores / alerts_per_s, 0.0, 7.0)


def test_linear_is_judged_by_cores_used():
    assert is_linear([row(800, 0.5), row(1600, 1.0), row(2000, 1.25)])
    assert not is_linear([row(800, 0.5), row(1300, 1.0)])


def test_the_middle_of_a_run_leaves_start_and_end_out():
    progress = [(float(t), 100.0 * t) for t in range(101)]
    assert middle(progress, 10_000, since_s=0.0) == (20.0, 2000.0, 95.0, 9500.0)
    assert middle(progress, 10_000, since_s=30.0)[0] == 30.0
    with pytest.raises(TooShortError, match="--alerts"):
        middle([(0.0, 0.0), (0.5, 9000.0), (1.0, 10_000.0)], 10_000, since_s=0.0)
