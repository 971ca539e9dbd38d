"""What one pod carries, from what was measured; manifests and docs/capacity.md take it from here.

The costs are those of ``python -m bench.mesh`` (docs/performance.md, six processes, real ZTF
packets): CPU-microseconds per alert of each service with everything in it. ``python -m
deploy.capacity`` prints what a survey needs.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

USE_OF_A_CORE = 0.7
"""Share of a pod's core that planned work may take; the rest is for bursts and rebalancing."""
DRAIN_S = 10.0
"""One more pod is wanted for every so many seconds' work that waits."""
ALERTS_PER_ENVELOPE = 91
"""Measured under load (docs/performance.md)."""


@dataclass(frozen=True)
class Cost:
    """What an alert costs one service.

    Attributes
    ----------
    cpu_us
        CPU-microseconds per alert, measured.
    memory_mib
        Largest resident memory seen of one worker, MiB.
    message_alerts
        Alerts in one message of the topic that it reads.
    """

    service: str
    cpu_us: float
    memory_mib: int
    message_alerts: float

    @property
    def alerts_per_s(self) -> float:
        """What a pod with one core is planned to carry."""
        return USE_OF_A_CORE * 1e6 / self.cpu_us

    @property
    def lag_per_pod(self) -> int:
        """Messages of lag that one pod carries away in ``DRAIN_S``."""
        return max(1, round(self.alerts_per_s * DRAIN_S / self.message_alerts))


COSTS = (
    Cost("ingest", 214, 393, 1),
    Cost("xmatch", 111, 573, ALERTS_PER_ENVELOPE),
    Cost("classify", 263, 295, ALERTS_PER_ENVELOPE),
    Cost("mma", 72, 307, ALERTS_PER_ENVELOPE),
    Cost("distribute", 119, 228, ALERTS_PER_ENVELOPE),
    Cost("archive", 145, 211, 1),
)
BROKER_CPU_US = 406
DATABASE_CPU_US = 59
ENVELOPE_BYTES = 4_500
"""Of one alert in one envelope: 500 KB for a full one (docs/architecture.md)."""


@dataclass(frozen=True)
class Survey:
    """A stream to be carried.

    Attributes
    ----------
    alerts_per_s
        While it observes.
    packet_kb
        Of one packet, cutouts included.
    hours
        Of observing in a night.
    """

    name: str
    alerts_per_s: float
    packet_kb: float
    hours: float = 10.0


SURVEYS = (
    Survey("ZTF", 30, 65),
    Survey("LSST", 333, 136),
    Survey("7 x LSST", 2331, 136),
)


def pods(cost: Cost, survey: Survey) -> int:
    """Pods of one core that ``survey`` needs, at least one."""
    return max(1, math.ceil(survey.alerts_per_s / cost.alerts_per_s))


def needs(survey: Survey) -> dict[str, float]:
    """Pods by service, brokers, and disk a night with three replicas, GB."""
    rate = survey.alerts_per_s
    night = rate * survey.hours * 3600
    broker_cores = 3 * rate * BROKER_CPU_US / 1e6 / USE_OF_A_CORE
    return {
        **{cost.service: pods(cost, survey) for cost in COSTS},
        "brokers": max(3, math.ceil(broker_cores / 4)),
        "kafka_gb": 3 * night * (survey.packet_kb * 1e3 + 5 * ENVELOPE_BYTES) / 1e9,
        "packets_gb": night * survey.packet_kb * 1e3 / 1e9,
        "database_gb": night * ENVELOPE_BYTES / 1e9,
    }


def page() -> str:
    """The tables of docs/capacity.md."""
    rows = [
        "| service | CPU-µs per alert | alerts/s of a pod | lag per pod, messages |",
        "|---|---:|---:|---:|",
    ]
    rows += [
        f"| {c.service} | {c.cpu_us:.0f} | {c.alerts_per_s:,.0f} | {c.lag_per_pod:,} |"
        for c in COSTS
    ]
    rows += ["", "| | " + " | ".join(s.name for s in SURVEYS) + " |", "|---" * 4 + "|"]
    found = [needs(survey) for survey in SURVEYS]
    labels = {
        "brokers": "Kafka brokers of 4 cores",
        "kafka_gb": "Kafka's disk for a night, 3 replicas, GB",
        "packets_gb": "raw packets of a night, GB",
        "database_gb": "database, envelopes of a night, GB",
    }
    rows += [
        f"| {labels.get(key, f'{key} pods')} | "
        + " | ".join(f"{need[key]:,.0f}" for need in found)
        + " |"
        for key in found[0]
    ]
    return "\n".join(rows)


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(
        prog="python -m deploy.capacity", description="What a survey needs, from measured costs."
    ).parse_args()
    print(page())


if __name__ == "__main__":
    main()
