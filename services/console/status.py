"""``tocsin status``: every process, how it is, and what it has done."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from services.console.lag import lag_of
from services.console.running_mesh import RunningMesh, settings_of
from services.console.scrape import ServiceReading, read_services
from services.console.settings import RECEIVE, LocalSettings
from services.console.supervisor import read_state, supervisor_process
from shared.local.server_process import ProcessMark

EPILOG = """\b
Examples:
  tocsin status                                 a table
  tocsin status --json | jq '.processes[].pid'  for scripts

\b
Exit status: 0 if everything that should run runs and is live, 1 if not, 3 if Tocsin is down.
"""
DOWN_STATUS = 3
_COLUMNS = ("process", "pid", "up", "restarts", "state", "in", "out", "rejected", "lag")


@click.command("status", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def command(*, as_json: bool) -> None:
    """Show which processes run, whether they are live, and what waits for them."""
    report = asyncio.run(status_report(LocalSettings()))
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        show(report)
    if not report["up"]:
        sys.exit(DOWN_STATUS)
    sys.exit(0 if all(process["state"] == "live" for process in report["processes"]) else 1)


async def status_report(settings: LocalSettings) -> dict[str, Any]:
    """Everything `tocsin status` shows, as JSON."""
    mesh = RunningMesh.read(settings.folder)
    up = supervisor_process(settings).mark() is not None
    state = read_state(settings.folder) or {"processes": []}
    processes = state["processes"] if up else []
    aimed = settings_of(settings, mesh)
    readings = await read_services(processes, by="name")
    services = {record["service"]: None for record in processes if record["service"]}
    lag = await lag_of(aimed, services) if up else None
    return {
        "up": up,
        "external": mesh.external if mesh else None,
        "kafka_bootstrap_servers": aimed.kafka_bootstrap_servers,
        "state_dir": str(settings.folder),
        "supervisor_pid": state.get("pid") if up else None,
        "left_behind": [] if up else [r["name"] for r in state["processes"] if is_running(r)],
        "receives_notices": any(record["service"] == RECEIVE for record in processes),
        "processes": [process_report(record, readings, lag) for record in processes],
    }


def process_report(
    record: dict[str, Any], readings: dict[str, ServiceReading], lag: dict[str, int] | None
) -> dict[str, Any]:
    """One process: what the supervisor knows, and what it says itself; lag is its service's."""
    report = dict(record)
    runs = is_running(record)
    report["up_s"] = round(time.time() - record["started_s"], 1) if runs else None
    report["state"] = "live" if runs else "down"
    reading = readings.get(record["name"])
    if reading is not None:
        if runs:
            report["state"] = state_in_a_word(reading)
        report |= {
            "records_in": int(reading.records_in),
            "records_out": int(reading.records_out),
            "rejected": int(reading.rejected),
            "lag": lag.get(record["service"]) if lag is not None else None,
        }
    return report


def is_running(record: dict[str, Any]) -> bool:
    """Whether the process of a record of ``supervisor.json`` is alive."""
    if record["pid"] is None:
        return False
    return ProcessMark(record["pid"], record["started_s"]).process() is not None


def state_in_a_word(reading: ServiceReading) -> str:
    """Starting, stuck or live: the state of a service's processes that answer."""
    if reading.answers == 0 or reading.ready < reading.answers:
        return "starting"
    return "live" if reading.live == reading.answers else "stuck"


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    screen = Console(highlight=False)
    if not report["up"]:
        screen.print(f"Tocsin is down (state folder {report['state_dir']}). Start it: tocsin up")
        if report["left_behind"]:
            left = ", ".join(report["left_behind"])
            screen.print(f"[red]Left behind by a crash: {left}.[/red] Both up and down end them.")
        return
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        is_text = column in ("process", "state")
        table.add_column(column, justify="left" if is_text else "right", style=None)
    for process in report["processes"]:
        colour = "green" if process["state"] == "live" else "red"
        table.add_row(
            process["name"],
            _text(process["pid"]),
            duration(process["up_s"]),
            str(process["restarts"]),
            f"[{colour}]{process['state']}[/{colour}]",
            *(_text(process.get(key)) for key in ("records_in", "records_out", "rejected", "lag")),
        )
    screen.print(table)
    for process in report["processes"]:
        if process["last_end"]:
            screen.print(
                f"[dim]{process['name']}: {process['last_end']}; see {process['log']}[/dim]"
            )
    if not report["receives_notices"]:
        screen.print(
            "[dim]receive: off; set TOCSIN_GCN_BOOTSTRAP_SERVERS, TOCSIN_VTP_SERVERS, "
            "TOCSIN_RECEIVE_FOLDER, TOCSIN_RECEIVE_HTTP_PORT or TOCSIN_INJECT_EVERY_S before "
            "tocsin up[/dim]"
        )
    servers = "external Kafka" if report["external"] else "Kafka"
    screen.print(f"[dim]{servers} at {report['kafka_bootstrap_servers']}[/dim]")


def duration(seconds: float | None) -> str:
    """A time span for people: 12 s, 5 min, 3.2 h."""
    if seconds is None:
        return "-"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _text(value: int | None) -> str:
    """A number with thousands apart, or a dash."""
    return "-" if value is None else f"{value:,}".replace(",", " ")
