"""Room on the disks that a service writes to."""

import shutil
from pathlib import Path

from prometheus_client import CollectorRegistry

from shared.telemetry.disk import DiskCollector


def value(registry, name, folder):
    return registry.get_sample_value(f"tocsin_disk_{name}_bytes", {"folder": folder})


def test_the_disk_of_the_state_folder(tmp_path):
    registry = CollectorRegistry()
    registry.register(DiskCollector(tmp_path))
    assert value(registry, "size", "state") == shutil.disk_usage(tmp_path).total
    assert 0 <= value(registry, "free", "state") <= value(registry, "size", "state")


def test_a_volume_mounted_into_it_is_told_apart(tmp_path, monkeypatch):
    (tmp_path / "archive").mkdir()
    (tmp_path / "logs").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path.name == "archive")
    registry = CollectorRegistry()
    registry.register(DiskCollector(tmp_path))
    assert value(registry, "free", "archive") is not None
    assert value(registry, "free", "logs") is None


def test_a_folder_that_is_not_there_yet(tmp_path):
    registry = CollectorRegistry()
    registry.register(DiskCollector(tmp_path / "later"))
    assert value(registry, "free", "state") is None
    (tmp_path / "later").mkdir()
    assert value(registry, "free", "state") is not None
