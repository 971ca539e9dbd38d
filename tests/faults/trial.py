"""One trial: packets come in, the fault strikes, and afterwards everything must be there once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from services.console.account.reading import TopicReader
from services.console.lag import lag_of
from shared.archive.packets import packets_at, packets_root
from shared.errors import TocsinError
from shared.kafka.admin import KafkaAdmin
from shared.kafka.topics import OUT_PREFIX, Topic
from tests.faults.base import Fault, Scene
from tests.system.mesh import EVERYTHING, SERVICES, faults_of

SURVEY_TOPICS = ("ztf_alerts", "lsst_alerts")
_RECOVERY_PATIENCE_S = 240.0
_LIVE_PATIENCE_S = 90.0
_POLL_S = 0.25
_COUNTED_AFTER_S = 1.0


@dataclass
class Outcome:
    """What became of one trial."""

    fault: str
    alerts: int = 0
    """Packets sent while it went on."""
    missing: int = 0
    repeated_at_edges: int = 0
    dead_letters: int = 0
    recovery_s: float | None = None
    """From the end of the fault until all that was sent up to a second later was delivered."""
    restarts: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """In a word."""
        return "FAILED" if self.complaints or self.recovery_s is None else "balances"

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {**asdict(self), "verdict": self.verdict}


def carry_out(fault: Fault, scene: Scene) -> Outcome:
    """Feed, strike, wait for recovery, audit."""
    outcome = Outcome(fault.name)
    mesh = scene.mesh
    scene.sent_before = {topic: mesh.end_of(topic) for topic in SURVEY_TOPICS}
    letters_before = mesh.end_of(mesh.topic("dead-letters"))
    restarts_before = _restarts(scene)
    feed = fault.feed(scene)
    share = scene.random.uniform(0.15, 0.5)
    mesh.wait_for_packets(scene.sent_before[fault.topic] + int(share * scene.alerts), fault.topic)
    fault.strike(scene)
    outcome.recovery_s = recovery_s(scene, time.monotonic())
    feed.finish()
    account = mesh.audit(wait_s=_RECOVERY_PATIENCE_S)
    outcome.alerts = sum(mesh.end_of(t) - n for t, n in scene.sent_before.items())
    outcome.missing = sum(x["missing"] for x in [*account["stages"], *account["edges"]])
    outcome.repeated_at_edges = sum(edge["repeated"] for edge in account["edges"])
    outcome.dead_letters = mesh.end_of(mesh.topic("dead-letters")) - letters_before
    outcome.restarts = _restarts(scene) - restarts_before
    outcome.complaints = [
        *faults_of(account, _undelivered(scene)),
        *fault.complaints(scene, account),
    ]
    if outcome.alerts < fault.sends * scene.alerts:
        outcome.complaints.append(f"only {outcome.alerts} packets came in")
    if outcome.recovery_s is None:
        outcome.complaints.append(f"not recovered after {_RECOVERY_PATIENCE_S:.0f} s")
    outcome.complaints += _not_live(scene)
    outcome.complaints += _packets_not_kept(scene)
    return outcome


def recovery_s(scene: Scene, since_s: float) -> float | None:
    """Seconds from ``since_s`` until what is sent within a second has come out at every edge.

    The second is there because what was sent before may be through already: recovery is shown
    by packets that came when the fault had struck.
    """
    mesh = scene.mesh
    time.sleep(_COUNTED_AFTER_S)
    out = [mesh.topic(f"{OUT_PREFIX}{EVERYTHING}"), mesh.topic("dead-letters")]
    goal = ends = None
    deadline = time.monotonic() + _RECOVERY_PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if goal is None:
                goal = sum(mesh.end_of(topic) for topic in SURVEY_TOPICS)
            if ends is None and sum(mesh.end_of(topic) for topic in out) >= goal:
                ends = asyncio.run(_ends(scene))
            if ends is not None and asyncio.run(_archived(scene, ends)):
                return time.monotonic() - since_s
        except (TocsinError, KafkaError, KafkaException, OSError):
            pass  # the broker itself may be what has to recover
        time.sleep(_POLL_S)
    return None


async def _ends(scene: Scene) -> dict[tuple[str, int], int]:
    async with KafkaAdmin(scene.mesh.settings) as admin:
        return await admin.end_offsets([Topic.CORRELATED.named(scene.mesh.prefix)])


async def _archived(scene: Scene, ends: dict[tuple[str, int], int]) -> bool:
    async with KafkaAdmin(scene.mesh.settings) as admin:
        done = await admin.committed(f"{scene.mesh.prefix}archive")
    return all(done.get(place, 0) >= end for place, end in ends.items() if end)


def _undelivered(scene: Scene) -> int:
    """Alerts that distribute has set aside; what it could not read at all has no id."""
    return len(
        {x.key for x in scene.mesh.letters() if x.stage == "distribute" and x.alert_id is not None}
    )


def _restarts(scene: Scene) -> int:
    return sum(p["restarts"] for p in scene.mesh.status()["processes"])


def _not_live(scene: Scene) -> list[str]:
    """Processes that are not live, and groups with lag, a while after the end."""
    deadline = time.monotonic() + _LIVE_PATIENCE_S
    while True:
        states = Counter({p["name"]: p["state"] for p in scene.mesh.status()["processes"]}.items())
        found = [f"{name} is {state}" for name, state in states if state != "live"]
        lag = asyncio.run(lag_of(scene.mesh.settings, [*SERVICES, "archive.packets"])) or {}
        found += [f"{name} has a lag of {n}" for name, n in lag.items() if n]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _packets_not_kept(scene: Scene) -> list[str]:
    """Survey packets of this trial that the archive does not give back byte for byte."""
    root = packets_root(scene.mesh.folder)
    lost = []
    with TopicReader(scene.mesh.settings) as reader:
        for topic in SURVEY_TOPICS:
            for record in reader.records(reader.extents(topic)):
                kept = packets_at(root, record.topic, record.partition, record.offset)
                if record.value not in kept:
                    lost.append(f"{record.topic}/{record.partition}/{record.offset}")
    return [f"{len(lost)} packets are not kept as they came: {lost[:3]}"] if lost else []
