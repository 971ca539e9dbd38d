"""``tocsin watch``: rates, ages and lag of every service, live."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from services.console.lag import lag_of
from services.console.running_mesh import RunningMesh, settings_of
from services.console.scrape import ServiceReading, read_services
from services.console.settings import LocalSettings
from services.console.supervisor import read_state

_STREAM_MODULE = "services.portal.verbs.watch"

EPILOG = """\b
Examples:
  tocsin watch out.near_galaxy        a filter's alerts, one JSON line each
  tocsin watch                        live, Ctrl-C leaves it
  tocsin watch --interval 5 | tee f   plain lines where there is no terminal
  tocsin watch --once --json          one measurement, for scripts

Rates (in/s, out/s) are records per second of the last interval. p50 and p95 are ages: from the
survey's own Kafka timestamp to the moment a record left the service, median and 95th percentile of
the interval. Lag counts Kafka messages: packets for ingest, envelopes of up to 256 alerts for the
others. The last column is the CPU time that the service's processes used per record taken.
"""


@dataclass(frozen=True)
class StageRates:
    """One service over one interval; the field names are those of the JSON."""

    service: str
    records_in: int
    """Since its processes started; likewise the next two."""
    records_out: int
    rejected: int
    in_per_s: float
    out_per_s: float
    age_p50_s: float | None
    age_p95_s: float | None
    lag: int | None
    cpu_us_per_record: float | None

    @classmethod
    def between(
        cls,
        service: str,
        earlier: ServiceReading,
        now: ServiceReading,
        interval_s: float,
        lag: int | None,
    ) -> StageRates:
        """What ``service`` did from one reading to the next, ``interval_s`` seconds later."""
        done = now.since(earlier)
        return cls(
            service=service,
            records_in=int(now.records_in),
            records_out=int(now.records_out),
            rejected=int(now.rejected),
            in_per_s=round(done.records_in / interval_s, 1),
            out_per_s=round(done.records_out / interval_s, 1),
            age_p50_s=_rounded(done.age_s(0.50)),
            age_p95_s=_rounded(done.age_s(0.95)),
            lag=lag,
            cpu_us_per_record=(
                round(1e6 * done.cpu_s / done.records_in, 1) if done.records_in > 0 else None
            ),
        )


@click.command("watch", epilog=EPILOG, context_settings={"ignore_unknown_options": True})
@click.argument("stream", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--interval", "interval_s", type=float, default=2.0, show_default=True, help="Seconds."
)
@click.option("--once", is_flag=True, help="One measurement over one interval, then leave.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per measurement.")
def command(*, stream: tuple[str, ...], interval_s: float, once: bool, as_json: bool) -> None:
    """Follow rates, ages and lag of every service; or, named, what a filter sends."""
    settings = LocalSettings()
    mesh = RunningMesh.read(settings.folder)
    if stream:
        _become_stream(stream, mesh)
    if mesh is None:
        raise click.ClickException(f"Tocsin is down (state folder {settings.folder}): tocsin up")
    try:
        asyncio.run(watch(settings_of(settings, mesh), max(interval_s, 0.2), once, as_json))
    except KeyboardInterrupt:
        return


def _become_stream(stream: tuple[str, ...], mesh: RunningMesh | None) -> None:
    """Become the portal's client that prints a filter's alerts; it never comes back."""
    if mesh is not None:
        os.environ.update(mesh.environment())
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", _STREAM_MODULE, *stream])  # noqa: S606  # by list, no shell


async def watch(settings: LocalSettings, interval_s: float, once: bool, as_json: bool) -> None:
    """Measure and show again and again, until cancelled or after one measurement."""
    screen = Console(highlight=False)
    is_plain = as_json or once or not screen.is_terminal
    with Live(console=screen, auto_refresh=False, transient=False) as live:
        if is_plain:
            live.stop()
        measurement = Measurement(settings)
        await measurement.take()
        while True:
            await asyncio.sleep(interval_s)
            stages = await measurement.take()
            if as_json:
                click.echo(json.dumps(as_record(stages)))
            elif is_plain:
                screen.print(*(as_line(stage) for stage in stages), sep="\n", soft_wrap=True)
            else:
                live.update(as_table(stages), refresh=True)
            if once:
                return


class Measurement:
    """Remembers the last reading of every service, and compares the next with it."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._readings: dict[str, ServiceReading] = {}
        self._at_s = time.monotonic()

    async def take(self) -> list[StageRates]:
        """What every service did since the last call."""
        state = read_state(self._settings.folder) or {"processes": []}
        readings = await read_services(state["processes"])
        now = time.monotonic()
        lag = await lag_of(self._settings, readings) or {}
        stages = [
            StageRates.between(
                service,
                self._readings.get(service, ServiceReading()),
                reading,
                now - self._at_s,
                lag.get(service),
            )
            for service, reading in readings.items()
        ]
        self._readings, self._at_s = readings, now
        return stages


def as_record(stages: list[StageRates]) -> dict[str, Any]:
    """One measurement as JSON."""
    services = {
        stage.service: {k: v for k, v in vars(stage).items() if k != "service"} for stage in stages
    }
    return {"time_s": round(time.time(), 3), "services": services}


def as_line(stage: StageRates) -> str:
    """One service as a line of plain text."""
    return (
        f"{time.strftime('%H:%M:%S')} {stage.service:10} in {stage.in_per_s:8.1f}/s "
        f"out {stage.out_per_s:8.1f}/s rejected {stage.rejected} "
        f"age p50 {_seconds(stage.age_p50_s)} p95 {_seconds(stage.age_p95_s)} "
        f"lag {_whole(stage.lag)} cpu {_whole(stage.cpu_us_per_record)} us/record "
        f"total in {stage.records_in} out {stage.records_out}"
    )


def as_table(stages: list[StageRates]) -> Table:
    """All services as a table for a terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("service", no_wrap=True)
    for heading in ("in/s", "out/s", "in", "out", "refused", "p50", "p95", "lag", "µs each"):
        table.add_column(heading, justify="right", min_width=6, no_wrap=True)
    for stage in stages:
        rejected = f"[red]{stage.rejected}[/red]" if stage.rejected else "0"
        table.add_row(
            f"[bold]{stage.service}[/bold]",
            f"{stage.in_per_s:.1f}",
            f"{stage.out_per_s:.1f}",
            str(stage.records_in),
            str(stage.records_out),
            rejected,
            _seconds(stage.age_p50_s),
            _seconds(stage.age_p95_s),
            _whole(stage.lag),
            _whole(stage.cpu_us_per_record),
        )
    return table


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
