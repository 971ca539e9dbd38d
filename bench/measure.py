"""CPU by process, counts by service, ages by topic: what the mesh did, seen from outside."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import httpx
import numpy as np
import numpy.typing as npt
import psutil
from prometheus_client.parser import text_string_to_metric_families

from services.console.account.reading import TopicReader
from shared.kafka.envelopes import read_envelope
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

RIVER = (Topic.ALERTS, Topic.MATCHED, Topic.CLASSIFIED, Topic.CORRELATED)


def calibration_ms() -> float:
    """CPU milliseconds of a fixed loop of Python and NumPy: what this machine is worth now.

    Neighbours on the same silicon make every CPU-microsecond here longer; figures of two runs
    may be compared after dividing by this.
    """
    values = np.arange(20_000, dtype=np.float64)
    began = time.process_time()
    total = 0
    for i in range(60_000):
        total += i * i % 7
    for _ in range(30):
        total += int(np.sort(values[::-1]).sum())
    return 1e3 * (time.process_time() - began)


def cpu_seconds(pids: dict[str, int]) -> dict[str, float]:
    """User and system seconds of each named process so far."""
    used = {}
    for name, pid in pids.items():
        times = psutil.Process(pid).cpu_times()
        used[name] = times.user + times.system
    return used


def memory_mib(pids: dict[str, int]) -> dict[str, float]:
    """Resident memory of each named process."""
    return {name: psutil.Process(pid).memory_info().rss / 2**20 for name, pid in pids.items()}


def counted(port: int, metric: str, topic: str) -> float:
    """One counter of one service, from its own page."""
    page = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    total = 0.0
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == metric and sample.labels.get("topic") == topic:
                total += sample.value
    return total


@dataclass
class Finish:
    """The last effects: when each came to its end."""

    names: dict[str, tuple[int, str, str]]
    """By name: port, metric and topic whose count must reach the goal."""
    goal: int
    at: dict[str, float] = field(default_factory=dict)
    progress: list[tuple[float, float]] = field(default_factory=list)
    """Unix time and count of the slowest effect."""

    def wait(self, timeout_s: float) -> None:
        """Look twice a second until all have reached the goal.

        Raises
        ------
        TimeoutError
            If they have not within ``timeout_s`` of the last progress.
        """
        moved_at = time.monotonic()
        while len(self.at) < len(self.names):
            counts = {name: counted(*place) for name, place in self.names.items()}
            now = time.time()
            slowest = min(counts.values())
            if not self.progress or slowest > self.progress[-1][1]:
                moved_at = time.monotonic()
            self.progress.append((now, slowest))
            for name, count in counts.items():
                if count >= self.goal:
                    self.at.setdefault(name, now)
            if time.monotonic() - moved_at > timeout_s:
                raise TimeoutError(f"no progress for {timeout_s:.0f} s: {counts}, goal {self.goal}")
            time.sleep(0.5)


def ages_s(settings: ServiceSettings, topic: Topic) -> list[npt.NDArray[np.float64]]:
    """Age of every alert when it reached ``topic``, from the survey's timestamp, by envelope."""
    ages = []
    with TopicReader(settings) as reader:
        for record in reader.records(reader.extents(topic.named(settings.topic_prefix))):
            emitted = read_envelope(record.value).integers("emitted_ms")
            ages.append((record.timestamp_ms - emitted) / 1000.0)
    return ages
