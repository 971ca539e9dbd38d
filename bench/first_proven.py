"""What the mesh cost when it was first proven, beside what it costs now, and what changed since."""

from __future__ import annotations

from typing import Any

from rich.table import Table

FIRST_ALERTS_PER_S = 1_529.0
FIRST_CALIBRATION_MS = 7.3
FIRST_US_PER_ALERT = {
    "generator": 154.0, "kafka": 362.0, "ingest": 173.0, "xmatch": 41.0, "classify": 55.0,
    "mma": 44.0, "distribute": 97.0, "archive": 147.0, "database": 55.0,
}  # fmt: skip
"""CPU-µs per alert on 2026-11-22: 30,000 real ZTF packets, six processes, three catalogs, one
classifier, seven filters, no events."""
FUSED = ("ingest", "xmatch", "classify", "mma")
CHANGED = {
    "generator": "sends full batches only",
    "kafka": "C2 compiler for what runs hottest, larger segments; envelopes of more columns",
    "ingest": "alert ids are remembered over restarts",
    "xmatch": "eight catalogs instead of three, hosts, dust, redshifts, proper motions",
    "classify": "seven classifiers instead of one",
    "mma": "versions of events, coincidences, injections; alerts held for late notices",
    "river": "the four stages in one process, which keeps the raw packets too",
    "distribute": "filters that users activate; VOEvents and GCN notices of associations",
    "archive": "alerts of more columns; labels, votes, events (fused: packets are the river's)",
    "database": "alerts of more columns",
    "portal": "was not there", "courier": "was not there", "vtp": "was not there",
}  # fmt: skip
"""What each process has got since; how much of the difference each part makes is not measured."""
IN_FULL_USE = {
    "xmatch": "; here ten catalogs", "river": "; here ten catalogs, five sky maps",
    "mma": "; here five sky maps", "distribute": "; here 25 filters instead of seven",
}  # fmt: skip
"""What ``--everything`` adds to that."""


def since_first_proven(results: dict[str, Any]) -> Table:
    """CPU per alert of every process then and now; now also as of the machine of then."""
    now = results["cpu_us_per_alert"]
    is_full = results["workload"]["everything"]
    then = dict(FIRST_US_PER_ALERT)
    if "river" in now:
        then["river"] = sum(then.pop(stage) for stage in FUSED)
    speed = FIRST_CALIBRATION_MS / min(results["machine"]["calibration_ms"])
    table = Table(
        "process", title="CPU-µs per alert since the mesh was first proven", title_justify="left"
    )
    for column in ("then", "now", "at that speed"):
        table.add_column(column, justify="right")
    table.add_column("what changed", overflow="fold")
    for name in sorted(then.keys() | now.keys(), key=list(CHANGED).index):
        us = now.get(name, 0.0)
        before = f"{then[name]:,.0f}" if name in then else "-"
        changed = CHANGED[name] + (IN_FULL_USE.get(name, "") if is_full else "")
        table.add_row(name, before, f"{us:,.0f}", f"{speed * us:,.0f}", changed)
    table.add_row(
        "all", f"{sum(then.values()):,.0f}", f"{sum(now.values()):,.0f}",
        f"{speed * sum(now.values()):,.0f}",
        f"{FIRST_ALERTS_PER_S:,.0f} alerts/s then, {results['alerts_per_s']:,.0f} now",
        style="bold",
    )  # fmt: skip
    return table
