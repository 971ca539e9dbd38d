"""The benchmark's tables, beside what others have published."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bench.first_proven import since_first_proven
from bench.published import PUBLISHED

screen = Console(highlight=False, width=110)
_PERCENTILES = ("p50", "p95", "p99")


def show(results: dict[str, Any]) -> None:
    """Print the results of ``bench.mesh``."""
    for line in conditions(results):
        screen.print(line)
    _cpu(results)
    _memory(results)
    _ages(results)
    if len(results["runs"]) > 1:
        _runs(results)
    screen.print(since_first_proven(results))
    _beside_others(results, results["machine"]["cores"])
    envelopes = ", ".join(
        f"{place} {count:.0f}" for place, count in results["alerts_per_envelope"].items()
    )
    screen.print(f"alerts per message: {envelopes}")
    effects = ", ".join(f"{count:.2f} {name}" for name, count in results["per_alert"].items())
    screen.print(f"per alert: {effects}")
    waiting = results["most_waiting"]
    if waiting is not None:
        screen.print(f"{waiting:,.0f} alerts were waiting when the last was sent, "
                     f"after {results['generator_s']:.1f} s")  # fmt: skip
    if results["restarts"]:
        screen.print(f"[red]{results['restarts']} processes were started again[/]")
    verdict = "balances" if results["audit"].get("balances") else "[red]DOES NOT BALANCE[/]"
    screen.print(f"[bold]{results['alerts_per_s']:,.0f} alerts/s[/] end to end, "
                 f"{results['elapsed_s']:.1f} s in all; audit {verdict}")  # fmt: skip


def conditions(results: dict[str, Any]) -> list[str]:
    """Machine, versions and workload: what a figure is worth nothing without."""
    machine, workload = results["machine"], results["workload"]
    known = {"cpu", "cores", "memory_gib", "system", "load_before", "calibration_ms"}
    versions = ", ".join(f"{name} {v}" for name, v in machine.items() if name not in known)
    before, after = machine["calibration_ms"]
    process = "ingest to mma in one process" if workload["fused"] else "a process for each service"
    beside = "; 25 filters, ten catalogs, five sky maps" if workload["everything"] else ""
    beside += "; packets in lz4 batches" if workload["compressed"] else ""
    return [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, "
        f"{machine['system']}; load before {machine['load_before']:.1f}, "
        f"calibration loop {before:.1f} and {after:.1f} ms",
        versions,
        f"{workload['alerts']:,} alerts after {workload['warm_up']:,}, {workload['mode']}: "
        f"{workload['source']}; {process}{beside}",
    ]


def _cpu(results: dict[str, Any]) -> None:
    table = Table("process", title="CPU", title_justify="left")
    table.add_column("CPU-µs per alert", justify="right")
    for name, micros in results["cpu_us_per_alert"].items():
        table.add_row(name, f"{micros:,.0f}")
    table.add_row("all", f"{sum(results['cpu_us_per_alert'].values()):,.0f}", style="bold")
    screen.print(table)
    screen.print(f"and this bench's own watching: {results['watching_us_per_alert']:.0f}")


def _memory(results: dict[str, Any]) -> None:
    table = Table("process", title="Resident memory, MiB", title_justify="left")
    for column in ("first", "last", "most", "slope, MiB/h"):
        table.add_column(column, justify="right")
    for name, course in results["memory_mib"].items():
        slope = course["slope_mib_per_h"]
        table.add_row(
            name,
            *(_whole(course[key]) for key in ("first", "last", "max")),
            "run too short" if slope is None else f"{slope:+,.0f}",
        )
    screen.print(table)


def _ages(results: dict[str, Any]) -> None:
    table = Table("at topic", title="Age from the survey's timestamp, s", title_justify="left")
    for quantile in _PERCENTILES:
        table.add_column(quantile, justify="right")
    for topic, ages in results["age_s"].items():
        table.add_row(topic, *(f"{ages[q]:.2f}" if q in ages else "-" for q in _PERCENTILES))
    screen.print(table)


def _runs(results: dict[str, Any]) -> None:
    table = Table("run", title="All runs; shown is the median", title_justify="left")
    for column in ("alerts/s", "CPU-µs per alert", "calibration, ms", "load before", "audit"):
        table.add_column(column, justify="right")
    for number, run in enumerate(results["runs"], 1):
        table.add_row(
            str(number),
            f"{run['alerts_per_s']:,.0f}",
            f"{run['cpu_us_per_alert']:,.0f}",
            ", ".join(f"{ms:.1f}" for ms in run["calibration_ms"]),
            f"{run['load_before']:.1f}",
            "balances" if run["balances"] else "DOES NOT BALANCE",
        )
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


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
