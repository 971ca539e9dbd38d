"""The workload: real packets, re-keyed so that each is another alert of another object."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from services.simulate.deliver import SurveyTopic
from services.simulate.rekey import rekeyed
from services.simulate.settings import SimulateSettings
from shared.packets import iter_packets

REAL = {
    "ztf": (
        "ztf/pittgoogle_84.tar.xz",
        "ztf/kowalski/20200202",
        "ztf/kowalski/20231012",
        "ztf/boom",
    ),
    "lsst": ("lsst/rubin_20260101_27_v10_0.parquet", "lsst/confluent_wire"),
}
"""Below TOCSIN_DATA: packets with cutouts, as the surveys send them."""


def templates(survey: str) -> tuple[list[bytes], str]:
    """Packets to copy, and where they come from: real ones, or simulated where there are none."""
    root = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    paths = [root / name for name in REAL[survey] if (root / name).exists()]
    if paths:
        packets = [p.payload for p in iter_packets(paths)]
        if survey == "lsst":
            packets = [p for p in packets if len(p) > 60_000]
        return packets, f"{len(packets)} real {survey} packets, re-keyed"
    return simulated(survey, 200), "200 simulated packets, re-keyed (no TOCSIN_DATA)"


def simulated(survey: str, count: int) -> list[bytes]:
    """Packets of a made-up night, always the same ones."""
    from services.simulate.population import simulate_night  # noqa: PLC0415  # slow to import
    from services.simulate.surveys import WRITERS  # noqa: PLC0415
    from services.simulate.telescopes import TELESCOPES  # noqa: PLC0415

    night = simulate_night(TELESCOPES[survey], 61_041, count, seed=1)
    return [p.payload for p in WRITERS[survey](night).write(np.arange(count))]


@dataclass
class Feed:
    """A generator: a process of its own, so that its CPU can be told from the bench's."""

    process: subprocess.Popen[str]

    @classmethod
    def start(
        cls, survey: str, alerts: int, rate_hz: float, first: int, *, compressed: bool = False
    ) -> Self:
        """Start sending; arguments as of `generate`."""
        arguments = map(str, (survey, alerts, rate_hz, first, "lz4" if compressed else "none"))
        command = [sys.executable, "-m", "bench.workload", *arguments]
        return cls(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))

    def require_sound(self) -> None:
        """Raise ``RuntimeError`` if it has failed."""
        if self.process.poll():
            raise RuntimeError(f"the generator ended with {self.process.returncode}")

    def reap(self) -> tuple[float, float, float]:
        """Wait until it has ended: when it began and ended (Unix time), and its CPU seconds.

        Raises
        ------
        RuntimeError
            If it failed, or Kafka did not acknowledge every packet.
        """
        out, _ = self.process.communicate()
        self.require_sound()
        began, ended, undelivered, cpu_s = (float(word) for word in out.split())
        if undelivered:
            raise RuntimeError(f"the generator failed: {undelivered:.0f} packets undelivered")
        return began, ended, cpu_s

    def __enter__(self) -> Self:
        """The same."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave no generator behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def generate(
    survey: str, alerts: int, rate_hz: float, first: int, compression: Literal["none", "lz4"]
) -> None:
    """Send ``alerts`` packets to the survey's topic, at ``rate_hz`` (0: as fast as it goes).

    ``first`` is the serial number of the first, so that runs differ. Prints when it began and
    ended (Unix time), how many packets were not delivered, and its CPU seconds in between.
    """
    packets, _ = templates(survey)
    for packet in packets:
        rekeyed(packet, first)  # opened once, before the clock runs
    settings = SimulateSettings()
    topic = dict(settings.survey_topic_pairs())[survey]
    sender = SurveyTopic(settings, topic, in_bulk=rate_hz == 0, compression=compression)
    began, cpu_began = time.time(), time.process_time()
    for serial in range(alerts):
        if rate_hz > 0 and serial % 20 == 0:
            time.sleep(max(0.0, began + serial / rate_hz - time.time()))
        sender.send(rekeyed(packets[serial % len(packets)], first + serial))
    account = sender.finish()
    undelivered = account.sent - account.delivered
    cpu_s = time.process_time() - cpu_began
    sys.stdout.write(f"{began} {time.time()} {undelivered} {cpu_s}\n")


if __name__ == "__main__":
    generate(
        sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]),
        "lz4" if sys.argv[5] == "lz4" else "none",
    )  # fmt: skip
