"""How much room is left where a service writes, as two gauges."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class DiskCollector(Collector):
    """Free and total bytes of the disk under a state folder, and of those mounted into it.

    Parameters
    ----------
    folder
        The state folder; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample per disk, named by the first folder that is on it."""
        free = GaugeMetricFamily(
            "tocsin_disk_free_bytes", "Room left on the disk of a folder", labels=("folder",)
        )
        size = GaugeMetricFamily(
            "tocsin_disk_size_bytes", "Size of the disk of a folder", labels=("folder",)
        )
        for name, path in self._disks().items():
            try:
                found = shutil.disk_usage(path)
            except OSError:  # taken away between two looks
                continue
            free.add_metric((name,), found.free)
            size.add_metric((name,), found.total)
        yield free
        yield size

    def _disks(self) -> dict[str, Path]:
        """The state folder, and folders in it that are mounted from elsewhere."""
        if not self._folder.is_dir():
            return {}
        inside = sorted(path for path in self._folder.iterdir() if path.is_mount())
        return {"state": self._folder} | {path.name: path for path in inside}
