"""CPU quotas for a group of processes: Linux control groups, version 1 or 2."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_ROOT = Path("/sys/fs/cgroup")
_PERIOD_US = 100_000
_PATIENCE_S = 10.0


class NoQuotaError(Exception):
    """No quota can be set on this machine; the message says why."""


class Quota:
    """A group of processes that may use ``cores`` of CPU together (context manager).

    Raises
    ------
    NoQuotaError
        If there is no CPU controller that we may write.
    """

    def __init__(self, name: str, cores: float, root: Path = _ROOT) -> None:
        self._cores = cores
        self._is_v2 = (root / "cgroup.controllers").exists()
        self.folder = root / name if self._is_v2 else root / "cpu" / name
        self._root = root

    def __enter__(self) -> Self:
        """Make the group."""
        quota_us = int(self._cores * _PERIOD_US)
        try:
            if self._is_v2:
                _write(self._root / "cgroup.subtree_control", "+cpu")
            self.folder.mkdir(exist_ok=True)
            if self._is_v2:
                _write(self.folder / "cpu.max", f"{quota_us} {_PERIOD_US}")
            else:
                _write(self.folder / "cpu.cfs_period_us", str(_PERIOD_US))
                _write(self.folder / "cpu.cfs_quota_us", str(quota_us))
        except OSError as error:
            raise NoQuotaError(
                f"no CPU quota can be set: {error}. It takes root, and the cpu controller of "
                f"cgroups v1 (/sys/fs/cgroup/cpu) or v2 (/sys/fs/cgroup/cgroup.controllers)"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the group; its processes must have ended."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.2)
            else:
                return

    def command(self, command: Sequence[str]) -> list[str]:
        """``command``, run in the group with all it starts."""
        enter = 'echo $$ > "$0" && exec "$@"'
        return ["sh", "-c", enter, str(self.folder / "cgroup.procs"), *command]

    def throttled_s(self) -> float:
        """Seconds that processes of the group have waited for their quota."""
        lines = (self.folder / "cpu.stat").read_text().split("\n")
        words = dict(line.split() for line in lines if line)
        if self._is_v2:
            return int(words["throttled_usec"]) / 1e6
        return int(words["throttled_time"]) / 1e9


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
