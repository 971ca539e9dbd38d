"""The benchmark's tables, beside what others have published."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.published import PUBLISHED

screen = Console(highlight=False, width=110)


def show(results: dict[str, Any]) -> None:
    """Print the results of ``bench.mesh``."""
    machine, workload = results["machine"], results["workload"]
    screen.print(f"[bold]{machine['cpu']}[/], {machine['cores']} cores, load before "
                 f"{machine['load_before']:.1f}, Python {machine['python']}")  # fmt: skip
    calibration = ", ".join(f"{ms:.1f}" for ms in machine["calibration_ms"])
    screen.print(f"calibration loop before and after: {calibration} ms")
    screen.print(f"{workload['alerts']:,} alerts, {workload['mode']}: {workload['source']}")
    _cpu(results)
    _ages(results)
    _beside_others(results, machine["cores"])
    envelopes = results["alerts_per_envelope"]["alerts"]
    screen.print(f"{envelopes:.0f} alerts per envelope")
    verdict = "balances" if results["audit"].get("balances") else "DOES NOT BALANCE"
    screen.print(f"[bold]{results['alerts_per_s']:,.0f} alerts/s[/] end to end; audit {verdict}")


def _cpu(results: dict[str, Any]) -> None:
    table = Table("process", title="CPU", title_justify="left")
    table.add_column("CPU-µs per alert", justify="right")
    table.add_column("memory, MiB", justify="right")
    for name, micros in results["cpu_us_per_alert"].items():
        memory = results["memory_mib"].get(name)
        table.add_row(name, f"{micros:,.0f}", "" if memory is None else f"{memory:,.0f}")
    table.add_row("all", f"{sum(results['cpu_us_per_alert'].values()):,.0f}", "", style="bold")
    screen.print(table)


def _ages(results: dict[str, Any]) -> None:
    table = Table("at topic", title="Age from the survey's timestamp, s", title_justify="left")
    for quantile in ("p50", "p95", "p99"):
        table.add_column(quantile, justify="right")
    for topic, ages in results["age_s"].items():
        table.add_row(topic, *(f"{ages.get(q, float('nan')):.2f}" for q in ("p50", "p95", "p99")))
    screen.print(table)


def _beside_others(results: dict[str, Any], cores: int) -> None:
    table = Table("system", title="Beside published figures", title_justify="left")
    table.add_column("alerts/s", justify="right")
    table.add_column("cores", justify="right")
    table.add_column("alerts/s/core", justify="right")
    table.add_column("what was measured")
    ours = results["alerts_per_s"]
    what = "this run: generator, broker, database, archive included"
    per_core = f"{ours / cores:,.0f}"
    table.add_row("Tocsin", f"{ours:,.0f}", str(cores), per_core, what, style="bold")
    for other in PUBLISHED:
        rate, of = float(str(other["alerts_per_s"])), int(str(other["cores"]))
        table.add_row(str(other["system"]), f"{rate:,.0f}", str(of), f"{rate / of:,.1f}",
                      str(other["measured"]))  # fmt: skip
    screen.print(table)
