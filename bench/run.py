"""One measured run: a mesh from cold, a generator, and what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ages import read_ages
from bench.effects import Effects, counted, effects_of
from bench.everything import send_events
from bench.machine import calibration_ms, environment
from bench.processes import MemoryWatch, Processes, own_cpu_s, tocsin
from bench.workload import Feed, templates
from shared.settings import ServiceSettings

_SHARE_ON_DISK = 1.15
"""Of the packets' bytes: Kafka's copy of every one, and what the stages add."""
_LZ4_LEAVES = {"ztf": 0.75, "lsst": 0.5}
"""Share of the packets' bytes, with room to spare (measured: 0.70 and 0.43)."""
_BESIDE_GIB = 8
"""The archive's packets, held to two GiB a partition, the database and room to breathe."""


@dataclass(frozen=True)
class Plan:
    """What one run shall do."""

    survey: str
    alerts: int
    warm_up: int
    rate_hz: float
    """0: as fast as the generator can."""
    preload: bool
    fused: bool
    state_dir: Path
    compressed: bool = False
    """Whether the generator lets Kafka compress its batches (lz4)."""
    everything: bool = False
    """Whether `bench.everything` adds catalogs, filters and events."""
    patience_s: float = 300.0

    @property
    def mode(self) -> str:
        """In words, for the reports."""
        if self.preload:
            return "preloaded, cold start"
        return f"live at {self.rate_hz:g} alerts/s" if self.rate_hz else "live, flat out"


@dataclass
class Window:
    """The measured part of a run."""

    began_s: float
    sent_s: float
    generator_cpu_s: float
    cpu_before: dict[str, float]
    cpu_after: dict[str, float]
    watching_cpu_s: float
    memory: MemoryWatch
    effects: Effects


def measure(plan: Plan) -> dict[str, Any]:
    """Start the mesh on empty topics, feed it, take its measure, stop it."""
    for stale in ("kafka", "database", "packets", "logs", "faust"):
        shutil.rmtree(plan.state_dir / stale, ignore_errors=True)
    machine = environment()
    settings = ServiceSettings()
    _room_for(plan)
    try:
        calibration = [calibration_ms()]
        window = _preloaded(plan, settings) if plan.preload else _live(plan, settings)
        calibration.append(calibration_ms())
        results = _results(plan, settings, window)
        results["machine"] = machine | {"calibration_ms": calibration}
        audit = subprocess.run(
            tocsin("audit", "--wait", "30", "--json"), capture_output=True, check=False
        )
        results["audit"] = json.loads(audit.stdout or "{}")
    finally:
        subprocess.run(tocsin("down"), check=True)
    return results


def _live(plan: Plan, settings: ServiceSettings) -> Window:
    """Services wait on empty topics; the clock runs from the generator's first packet."""
    subprocess.run(tocsin("up"), check=True)
    processes = Processes.now()
    effects = effects_of(processes.ports, settings)
    if plan.everything:
        send_events(plan.survey, plan.state_dir)
    if plan.warm_up:
        _feed(plan, 0, warm_up=True).reap()
        effects.wait(plan.warm_up, plan.patience_s)
    return _watched(plan, processes, effects, processes.cpu_s(), plan.warm_up)


def _preloaded(plan: Plan, settings: ServiceSettings) -> Window:
    """Packets wait in Kafka; the clock runs from the services' start, which it includes."""
    subprocess.run(tocsin("up", "--services", "none"), check=True)
    _, _, generator_cpu_s = _feed(plan, 0).reap()
    subprocess.run(tocsin("down"), check=True)
    began = time.time()
    subprocess.run(tocsin("up"), check=True)
    processes = Processes.now()
    effects = effects_of(processes.ports, settings)
    window = _watched(plan, processes, effects, dict.fromkeys(processes.pids, 0.0), None)
    window.began_s, window.sent_s, window.generator_cpu_s = began, began, generator_cpu_s
    return window


def _watched(
    plan: Plan,
    processes: Processes,
    effects: Effects,
    before: dict[str, float],
    first: int | None,
) -> Window:
    """Feed from serial ``first`` on (None: all is there), watch until everything is done."""
    began = sent = time.time()
    generator_cpu_s = 0.0
    watching = own_cpu_s()
    with ExitStack() as stack:
        memory = stack.enter_context(MemoryWatch(processes))
        feed = None
        if first is not None:
            feed = stack.enter_context(_feed(plan, first))
        look = feed.require_sound if feed else (lambda: None)
        effects.wait((first or 0) + plan.alerts, plan.patience_s, look)
        if feed:
            began, sent, generator_cpu_s = feed.reap()
    after = processes.cpu_s()
    return Window(
        began, sent, generator_cpu_s, before, after, own_cpu_s() - watching, memory, effects
    )


def _feed(plan: Plan, first: int, *, warm_up: bool = False) -> Feed:
    alerts, rate_hz = (plan.warm_up, 0.0) if warm_up else (plan.alerts, plan.rate_hz)
    return Feed.start(plan.survey, alerts, rate_hz, first, compressed=plan.compressed)


def _results(plan: Plan, settings: ServiceSettings, window: Window) -> dict[str, Any]:
    ended = max(window.effects.at.values())
    elapsed = ended - window.began_s
    per_alert = {
        name: 1e6 * (used - window.cpu_before[name]) / plan.alerts
        for name, used in window.cpu_after.items()
    }
    per_alert["generator"] = 1e6 * window.generator_cpu_s / plan.alerts
    sent_since = 0.0 if plan.preload else window.began_s
    ages = read_ages(settings, sent_since)
    first_sent = min(float(a.emitted_s.min()) for a in ages.values() if len(a.emitted_s))
    _, source = templates(plan.survey)
    return {
        "workload": {
            "survey": plan.survey,
            "alerts": plan.alerts,
            "warm_up": 0 if plan.preload else plan.warm_up,
            "source": source,
            "mode": plan.mode,
            "fused": plan.fused,
            "everything": plan.everything,
            "compressed": plan.compressed,
            "offered_per_s": plan.rate_hz or None,
        },
        "alerts_per_s": plan.alerts / elapsed,
        "generator_s": window.sent_s - window.began_s,
        "elapsed_s": elapsed,
        "most_waiting": _most_waiting(plan, window),
        "cpu_us_per_alert": per_alert,
        "watching_us_per_alert": 1e6 * window.watching_cpu_s / plan.alerts,
        "memory_mib": window.memory.summary(),
        "finished_after_s": {name: at - window.began_s for name, at in window.effects.at.items()},
        "age_s": {place: found.percentiles() for place, found in ages.items()},
        "age_over_time_s": {place: found.over_time(first_sent) for place, found in ages.items()},
        "alerts_per_envelope": {
            place: len(found.age_s) / found.messages
            for place, found in ages.items()
            if found.messages
        },
        "per_alert": _told(plan),
        "restarts": sum(Processes.now().restarts.values()),
    }


def _told(plan: Plan) -> dict[str, float]:
    """Associations and deliveries per alert since the mesh has started."""
    ports = Processes.now().ports
    alerts = plan.alerts + (0 if plan.preload else plan.warm_up)
    mma = ports.get("mma", []) + ports.get("river", [])
    return {
        "associations": counted(mma, "tocsin_mma_associations_total", "") / alerts,
        "deliveries": counted(ports["distribute"], "tocsin_deliveries_total", "") / alerts,
    }


def _most_waiting(plan: Plan, window: Window) -> float | None:
    """Alerts sent and not yet done when the generator had finished: the largest backlog."""
    if plan.preload:
        return float(plan.alerts)
    done = [count for at, count in window.effects.progress if at <= window.sent_s]
    return plan.warm_up + plan.alerts - done[-1] if done else None


def _room_for(plan: Plan) -> None:
    """Let Kafka keep every packet for the audit; the archive's copies may go.

    Raises
    ------
    SystemExit
        If the disk has no room for them.
    """
    packets, _ = templates(plan.survey)
    packet_bytes = sum(map(len, packets)) / len(packets)
    wanted = int(_SHARE_ON_DISK * packet_bytes * (plan.alerts + plan.warm_up))
    if plan.compressed:
        wanted = int(wanted * _LZ4_LEAVES[plan.survey])
    plan.state_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(plan.state_dir).free
    if wanted + _BESIDE_GIB * 2**30 > free:
        raise SystemExit(
            f"{plan.alerts:,} alerts want {wanted / 2**30 + _BESIDE_GIB:.0f} GiB of disk; "
            f"{plan.state_dir} has {free / 2**30:.0f}: name another --state-dir or fewer alerts"
        )
    os.environ.setdefault("TOCSIN_KAFKA_RETENTION_MIB", str(max(4096, wanted // 2**20)))
    if wanted > 4 * 2**30:
        os.environ.setdefault("TOCSIN_ARCHIVE_KEEP_PACKETS_GIB", "2")
