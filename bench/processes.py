"""The mesh's processes, seen from outside: which there are, their CPU, their memory over time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import psutil

SHORTEST_SLOPE_S = 120.0
"""Of a shorter run a slope per hour would be noise."""
_SETTLING = 1 / 3
"""Share of a run in which memory may still grow into its working size."""


def tocsin(*arguments: object) -> list[str]:
    """The command line of a verb."""
    return [sys.executable, "-m", "services.console", *map(str, arguments)]


def environment(state_dir: Path, *, fused: bool = False, port: int = 29_092) -> dict[str, str]:
    """Variables of a mesh beside any other on this machine: ports and a state folder of its own."""
    return {
        "TOCSIN_STATE_DIR": str(state_dir.absolute()),
        "TOCSIN_FUSED": str(fused).lower(),
        "TOCSIN_KAFKA_PORT": str(port),
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}",
        "TOCSIN_DATABASE_PORT": str(port + 25),
        "TOCSIN_DATABASE_URI": f"mongodb://127.0.0.1:{port + 25}/?directConnection=true",
        "TOCSIN_HTTP_PORT_BASE": str(port + 108),
    }


@dataclass(frozen=True)
class Processes:
    """What ``tocsin status`` says there is, whatever the stages are called and how many share one.

    Attributes
    ----------
    pids
        By the process's name.
    ports
        Of /metrics, by service: one for each of its processes.
    restarts
        By the process's name.
    """

    pids: dict[str, int]
    ports: dict[str, list[int]]
    restarts: dict[str, int]

    @classmethod
    def of_status(cls, status: dict[str, Any]) -> Self:
        """Read the report of ``tocsin status --json``."""
        running = [process for process in status["processes"] if process["pid"]]
        ports: dict[str, list[int]] = {}
        for process in running:
            if process.get("http_port"):
                ports.setdefault(process["service"], []).append(process["http_port"])
        return cls(
            {process["name"]: process["pid"] for process in running},
            ports,
            {process["name"]: process["restarts"] for process in running},
        )

    @classmethod
    def now(cls) -> Self:
        """Ask ``tocsin status``."""
        asked = subprocess.run(tocsin("status", "--json"), capture_output=True, check=False)
        return cls.of_status(json.loads(asked.stdout))

    def cpu_s(self) -> dict[str, float]:
        """User and system seconds of each process so far."""
        used = {}
        for name, pid in self.pids.items():
            times = psutil.Process(pid).cpu_times()
            used[name] = times.user + times.system
        return used

    def memory_mib(self) -> dict[str, float]:
        """Resident memory of each process that is still there."""
        found = {}
        for name, pid in self.pids.items():
            try:
                found[name] = psutil.Process(pid).memory_info().rss / 2**20
            except psutil.NoSuchProcess:
                continue
        return found


@dataclass
class MemoryWatch:
    """Samples the memory of processes in a thread (context manager)."""

    processes: Processes
    every_s: float = 2.0
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """Unix time and MiB by process."""

    def __enter__(self) -> Self:
        """Begin."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self.samples.append((time.time(), self.processes.memory_mib()))
            if self._stop.wait(self.every_s):
                return

    def summary(self) -> dict[str, dict[str, float | None]]:
        """First, last and most MiB of each process, and its slope once it had settled, MiB/h."""
        return {name: course(*self.course_of(name)) for name in self.processes.pids}

    def course_of(self, name: str) -> tuple[list[float], list[float]]:
        """Unix times and MiB of one process."""
        known = [(at, mib[name]) for at, mib in self.samples if name in mib]
        return [at for at, _ in known], [mib for _, mib in known]


def course(times_s: list[float], mib: list[float]) -> dict[str, float | None]:
    """First, last, most, and the slope in MiB/h of what comes after the first third.

    The slope is None where that is shorter than two minutes.
    """
    if not mib:
        return {"first": None, "last": None, "max": None, "slope_mib_per_h": None}
    slope = None
    settled_at = times_s[0] + _SETTLING * (times_s[-1] - times_s[0])
    later = np.array(times_s) >= settled_at
    if times_s[-1] - settled_at >= SHORTEST_SLOPE_S:
        hours = (np.array(times_s)[later] - settled_at) / 3600
        slope = float(np.polyfit(hours, np.array(mib)[later], 1)[0])
    return {"first": mib[0], "last": mib[-1], "max": max(mib), "slope_mib_per_h": slope}


def own_cpu_s() -> float:
    """Seconds this process has used: the bench's own watching, which no mesh needs."""
    times = os.times()
    return times.user + times.system
