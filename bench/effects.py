"""The last effects, and when each came to its end: what the services' own pages count."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.console.loopback import ask
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

LOOK_EVERY_S = 0.5
Place = tuple[list[int], str, str]
"""Ports of the processes that count it, a metric, and its label ``topic``; empty for any."""


def effects_of(ports: dict[str, list[int]], settings: ServiceSettings) -> Effects:
    """Where every alert must end: weighed by the filters, in the database, kept as a packet."""
    correlated = Topic.CORRELATED.named(settings.topic_prefix)
    keepers = ports["archive"] + ports.get("river", [])  # the river keeps them where it is fused
    return Effects(
        {
            "filters": (ports["distribute"], "tocsin_records_in_total", correlated),
            "database": (ports["archive"], "tocsin_records_out_total", "database"),
            "raw packets": (keepers, "tocsin_archive_packets_total", ""),
        }
    )


@dataclass
class Effects:
    """Counts of the last effects over time."""

    places: dict[str, Place]
    at: dict[str, float] = field(default_factory=dict)
    """Unix time at which each reached the goal."""
    progress: list[tuple[float, float]] = field(default_factory=list)
    """Unix time and count of the slowest effect."""

    def wait(self, goal: int, patience_s: float, look: Callable[[], None] = lambda: None) -> None:
        """Look twice a second until all have reached ``goal``; ``look`` is called each time.

        Raises
        ------
        TimeoutError
            If they have not within ``patience_s`` of the last progress.
        """
        self.at, self.progress = {}, []
        moved_at = time.monotonic()
        while len(self.at) < len(self.places):
            look()
            counts = {name: counted(*place) for name, place in self.places.items()}
            now = time.time()
            slowest = min(counts.values())
            if not self.progress or slowest > self.progress[-1][1]:
                moved_at = time.monotonic()
            self.progress.append((now, slowest))
            for name, count in counts.items():
                if count >= goal:
                    self.at.setdefault(name, now)
            if time.monotonic() - moved_at > patience_s:
                raise TimeoutError(f"no progress for {patience_s:.0f} s: {counts}, goal {goal}")
            time.sleep(LOOK_EVERY_S)


def counted(ports: list[int], metric: str, topic: str) -> float:
    """One counter of one service, from the pages of all its processes."""
    total = 0.0
    for port in ports:
        page = ask(port, "/metrics")
        total += count_on(page.text, metric, topic) if page is not None and page.is_yes else 0.0
    return total


def count_on(page: str, metric: str, topic: str) -> float:
    """Sum of a counter's samples, of one topic or all, on a page of Prometheus' text format."""
    wanted = f'topic="{topic}"' if topic else ""
    samples = (line for line in page.splitlines() if line.startswith((f"{metric}{{", f"{metric} ")))
    return sum(float(line.rpartition(" ")[2]) for line in samples if wanted in line)
