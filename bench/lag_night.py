"""How long alerts would wait in a night of bursts, with the measured costs and KEDA's rule.

A simulation, not a measurement: visits bring alerts at once, pods carry what ``deploy.capacity``
says they carry, and are added and taken away as the ScaledObjects say (polled every 5 s, one pod
for each ``lag_per_pod`` messages, ready 20 s after they are asked for).

``python -m bench.lag_night [--plot FILE] [--visits 600]``
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deploy.capacity import COSTS, Cost

VISIT_S = 37
POLL_S = 5
START_S = 20
"""From asking for a pod to its first take: image there, catalogs mapped, group rebalanced."""
DOWN_AFTER_S = 300


@dataclass
class Stage:
    """One service: what waits for it, and its pods."""

    cost: Cost
    fewest: int = 1
    most: int = 12
    waiting: float = 0.0
    pods: int = 1
    starting: list[int] = field(default_factory=list)
    above_need_since: int = 0

    def second(self, now: int, arriving: float) -> float:
        """One second: alerts that come in; returns those that go on."""
        self.waiting += arriving
        self.pods += sum(ready <= now for ready in self.starting)
        self.starting = [ready for ready in self.starting if ready > now]
        done = min(self.waiting, self.pods * self.cost.alerts_per_s)
        self.waiting -= done
        if now % POLL_S == 0:
            self._scale(now)
        return done

    def _scale(self, now: int) -> None:
        messages = self.waiting / self.cost.message_alerts
        wanted = math.ceil(messages / self.cost.lag_per_pod)
        wanted = min(max(wanted, self.fewest), self.most)
        there = self.pods + len(self.starting)
        if wanted > there:
            self.starting += [now + START_S] * (min(wanted, 2 * there) - there)
        if wanted >= there:
            self.above_need_since = now
        elif now - self.above_need_since > DOWN_AFTER_S and now % 60 == 0:
            self.pods = max(wanted, self.pods - 1)


def night(visits: int, alerts: int, monster_at: int, monster: int) -> dict[str, np.ndarray]:
    """Waiting alerts and pods of each service, second by second."""
    stages = [Stage(cost) for cost in COSTS if cost.service != "archive"]
    seconds = visits * VISIT_S
    waiting = np.zeros((len(stages), seconds))
    pods = np.zeros((len(stages), seconds))
    for now in range(seconds):
        visit, within = divmod(now, VISIT_S)
        flow = float(monster if visit == monster_at else alerts) if within == 0 else 0.0
        for row, stage in enumerate(stages):
            flow = stage.second(now, flow)
            waiting[row, now], pods[row, now] = stage.waiting, stage.pods
    return {"waiting": waiting, "pods": pods}


def plot(found: dict[str, np.ndarray], path: Path) -> None:
    """Two panels over time: what waits, and how many pods."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    names = [cost.service for cost in COSTS if cost.service != "archive"]
    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(9, 5), layout="constrained")
    minutes = np.arange(found["waiting"].shape[1]) / 60
    for name, waiting, pods in zip(names, found["waiting"], found["pods"], strict=True):
        above.semilogy(minutes, np.maximum(waiting, 1), label=name)
        below.step(minutes, pods)
    above.set_ylabel("alerts waiting")
    above.legend(ncol=5, fontsize=8)
    below.set_ylabel("pods")
    below.set_xlabel("minutes into the night")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=100, help="exposures, 37 s each")
    parser.add_argument("--alerts", type=int, default=10_000, help="in each of them")
    parser.add_argument("--monster", type=int, default=100_000, help="alerts of the 30th visit")
    parser.add_argument("--plot", type=Path, help="write a PNG")
    asked = parser.parse_args()
    found = night(asked.visits, asked.alerts, 30, asked.monster)
    total = found["waiting"].sum(axis=0)
    usual = total[: 30 * VISIT_S].reshape(-1, VISIT_S)
    drained = (usual > 0).sum(axis=1)
    after = np.flatnonzero(total[30 * VISIT_S :] == 0)
    print(f"{asked.alerts:,} alerts each {VISIT_S} s: through after {drained.max()} s at most")
    print(
        f"{asked.monster:,} alerts in one visit: through after {after[0] if len(after) else '>'} s"
    )
    for cost, pods in zip(COSTS, found["pods"], strict=False):
        print(f"  {cost.service:<11} {pods.min():.0f} to {pods.max():.0f} pods")
    if asked.plot:
        plot(found, asked.plot)


if __name__ == "__main__":
    main()
