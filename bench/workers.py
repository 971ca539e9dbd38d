"""Worker sets beside each other under CPU quotas: what another core of workers brings.

One set is a process of each service. All sets of a row share one quota; broker, database and the
packets, sent beforehand, are outside it, so the figure is the workers' alone. Timed is the
middle of each run: from a fifth of the packets done to nineteen twentieths.

A quota that the machine cannot give beside the broker's own work is not used up. So the column
to judge by is alerts per core that the workers have used: it falls where more workers cost more
for the same alerts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.effects import LOOK_EVERY_S, effects_of
from bench.machine import calibration_ms
from bench.machine import environment as machine
from bench.processes import Processes, environment, tocsin
from bench.quota import NoQuotaError, Quota
from bench.workload import Feed
from services.console.settings import FUSED, RIVER, SERVICES
from shared.settings import ServiceSettings

ROWS = ((1, 0.5), (1, 1.0), (2, 2.0))
"""Sets, and cores of all sets together."""
LINEAR_WITHIN = 0.15
_MIDDLE = (0.2, 0.95)
_FEWEST_LOOKS = 10
_ALONE = ("archive", "portal")
"""The packets' folder has one writer: more of them would wait for it."""
EXAMPLES = """\
Examples:
  python -m bench.workers                            0.5, 1 and 2 cores
  python -m bench.workers --fused --json sets.json   ingest to mma in one process
  python -m bench.workers --sets 1 --sets 2 --cores 1 --cores 1   the same core, shared by two

Exit status: 0 if linear within 15 %, 1 if not, 2 where no quota can be set or too few alerts.
"""


class TooShortError(Exception):
    """A row was over before it could be timed; the message says what to do."""


@dataclass(frozen=True)
class Row:
    """What worker sets under one quota did."""

    sets: int
    quota_cores: float
    alerts_per_s: float
    used_cores: float
    worker_us_per_alert: float
    throttled_share: float
    """Of the time: waiting for the quota, summed over processes, of the whole run."""
    calibration_ms: float

    @property
    def alerts_per_used_core(self) -> float:
        """Alerts per second and core used."""
        return self.alerts_per_s / self.used_cores


def main(argv: list[str] | None = None) -> int:
    """Run, print the table; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    rows = tuple(zip(arguments.sets or (), arguments.cores or (), strict=False)) or ROWS
    os.environ.update(environment(arguments.state_dir, fused=arguments.fused, port=28_092))
    try:
        with Quota("tocsin-probe", 1.0):
            pass
    except NoQuotaError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        measured = measure(rows, arguments)
    except TooShortError as error:
        print(error, file=sys.stderr)
        return 2
    show(measured)
    if arguments.json:
        results = {"machine": machine(), "rows": [asdict(row) for row in measured]}
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if is_linear(measured) else 1


def is_linear(rows: list[Row]) -> bool:
    """Whether alerts per core used differ by no more than 15 % from the first row's."""
    first = rows[0].alerts_per_used_core
    return all(abs(row.alerts_per_used_core / first - 1) <= LINEAR_WITHIN for row in rows)


def measure(rows: tuple[tuple[int, float], ...], arguments: argparse.Namespace) -> list[Row]:
    """Start the servers, fill the survey's topic, run each row on a river of its own."""
    shutil.rmtree(arguments.state_dir, ignore_errors=True)
    subprocess.run(tocsin("up", "--services", "none"), check=True)
    try:
        Feed.start(arguments.survey, arguments.alerts, 0.0, 0).reap()
        return [
            _row(sets, cores, arguments, f"sets{number}.")
            for number, (sets, cores) in enumerate(rows)
        ]
    finally:
        subprocess.run(tocsin("down"), check=True)


def _row(sets: int, cores: float, arguments: argparse.Namespace, prefix: str) -> Row:
    began_calibration = calibration_ms()
    with (
        Quota("tocsin-workers", cores) as quota,
        _sets(sets, quota, arguments, prefix) as (processes, settings),
    ):
        effects = effects_of(processes.ports, settings)
        course = CpuCourse(processes)
        course.start()
        effects.wait(arguments.alerts, 300.0)
        course.stop()
        throttled_s = quota.throttled_s()
    began, done_before, ended, done_after = middle(effects.progress, arguments.alerts, course.began)
    alerts, seconds = done_after - done_before, ended - began
    used_s = course.at(ended) - course.at(began)
    whole_s = effects.progress[-1][0] - effects.progress[0][0]
    return Row(
        sets, cores, alerts / seconds, used_s / seconds, 1e6 * used_s / alerts,
        throttled_s / whole_s, (began_calibration + calibration_ms()) / 2,
    )  # fmt: skip


def middle(
    progress: list[tuple[float, float]], alerts: int, since_s: float
) -> tuple[float, float, float, float]:
    """Time and count of the first and the last look within the middle of a run.

    Raises
    ------
    TooShortError
        If there are fewer than ten looks between: half a second of doubt would be too much.
    """
    least, most = (share * alerts for share in _MIDDLE)
    looks = [(at, done) for at, done in progress if least <= done <= most and at >= since_s]
    if len(looks) < _FEWEST_LOOKS:
        raise TooShortError(
            f"{alerts:,} alerts were done too soon to be timed ({len(looks)} looks); "
            f"give more with --alerts"
        )
    return *looks[0], *looks[-1]


@contextmanager
def _sets(
    sets: int, quota: Quota, arguments: argparse.Namespace, prefix: str
) -> Iterator[tuple[Processes, ServiceSettings]]:
    """Start the services in the group, with a river, a database and a folder of their own."""
    folder = arguments.state_dir / "sets"
    shutil.rmtree(folder, ignore_errors=True)
    names = {RIVER if arguments.fused and name in FUSED else name: None for name in SERVICES}
    own = {
        "TOCSIN_STATE_DIR": str(folder.absolute()),
        "TOCSIN_TOPIC_PREFIX": prefix,
        "TOCSIN_DATABASE_NAME": prefix.rstrip("."),
        "TOCSIN_EXTERNAL": "true",
        "TOCSIN_WORKERS": ",".join(f"{name}={sets}" for name in names if name not in _ALONE),
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        subprocess.run(quota.command(tocsin("up")), check=True)
        yield Processes.now(), ServiceSettings()
    finally:
        subprocess.run(tocsin("down"), check=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class CpuCourse:
    """CPU seconds of all workers over time, sampled in a thread."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._samples: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    @property
    def began(self) -> float:
        """Unix time of the first sample."""
        return self._samples[0][0]

    def at(self, unix_s: float) -> float:
        """CPU seconds used until then, between the samples before and after."""
        times, used = np.array(self._samples).T
        return float(np.interp(unix_s, times, used))

    def _run(self) -> None:
        while True:
            self._samples.append((time.time(), sum(self._processes.cpu_s().values())))
            if self._stop.wait(LOOK_EVERY_S / 2):
                self._samples.append((time.time(), sum(self._processes.cpu_s().values())))
                return


def show(rows: list[Row]) -> None:
    """Print the table."""
    screen = Console(highlight=False, width=110)
    described: dict[str, Any] = machine()
    screen.print(f"{described['cpu']}, {described['cores']} cores")
    table = Table("sets", title="Worker sets under a CPU quota", title_justify="left")
    for column in ("quota, cores", "alerts/s", "cores used", "worker-µs per alert",
                   "alerts/s per core used", "against the first", "calibration, ms"):  # fmt: skip
        table.add_column(column, justify="right")
    first = rows[0].alerts_per_used_core
    for row in rows:
        table.add_row(
            str(row.sets), f"{row.quota_cores:g}", f"{row.alerts_per_s:,.0f}",
            f"{row.used_cores:.2f}", f"{row.worker_us_per_alert:,.0f}",
            f"{row.alerts_per_used_core:,.0f}", f"{row.alerts_per_used_core / first - 1:+.0%}",
            f"{row.calibration_ms:.1f}",
        )  # fmt: skip
    screen.print(table)
    verdict = "linear" if is_linear(rows) else "NOT linear"
    screen.print(f"{verdict} within {LINEAR_WITHIN:.0%}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.workers", description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--alerts", type=int, default=30_000, help="packets for each row")
    parser.add_argument("--survey", choices=("ztf", "lsst"), default="ztf")
    parser.add_argument("--sets", type=int, action="append", metavar="N", help="of one row")
    parser.add_argument("--cores", type=float, action="append", metavar="C", help="of one row")
    parser.add_argument("--fused", action="store_true", help="ingest to mma in one process")
    parser.add_argument("--state-dir", type=Path, default=Path(".bench/workers"))
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
