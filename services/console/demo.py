"""``tocsin demo``: everything started, a night played, and what came out of it shown."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live

from services.console.running_mesh import mesh_settings
from services.console.settings import LocalSettings
from services.console.show.deliveries import show_events, show_filters
from services.console.show.learning import show_nights, show_targets
from services.console.show.story import Step, Story, candidates_table, newest_event
from services.console.watch import Measurement, StageRates, as_table

EPILOG = """\b
Examples:
  tocsin demo                        a simulated night, the night after a real burst
  tocsin demo night.tar.xz           real packets instead
  tocsin demo --alerts 10000 --rate 500

The mesh is left running; `tocsin down` stops it.
"""
_QUIET_S = 4.0
_PLANTED_WITHIN_DEG = 8.0
_PATIENCE_S = 300.0
_KNOWN_S = 30.0
"""Longest wait for mma to know the notice before the telescope begins."""
_WIDTH = 120
"""Columns where there is no terminal to ask: tables, and lines of XML, are wider than 80."""
_TOLD_S = 5.0
"""From a notice to a line of the event list that has seen it."""
_NIGHTS = 12
screen = Console(highlight=False)


@click.command("demo", epilog=EPILOG)
@click.argument("packets", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--alerts", default=3000, show_default=True, help="Alerts of the simulated night.")
@click.option("--rate", default=75.0, show_default=True, help="Alerts per second.")
@click.option("--seed", type=int, help="Another seed, another night; by default the clock's.")
def command(packets: tuple[Path, ...], alerts: int, rate: float, seed: int | None) -> None:
    """Start the mesh, play a night through it, and show what comes out."""
    if not screen.is_terminal:
        os.environ.setdefault("COLUMNS", str(_WIDTH))  # for the verbs that it starts, too
        screen.width = int(os.environ["COLUMNS"])
    run("up")
    begun_ms = int(1000 * time.time())
    folder = LocalSettings().folder / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    if packets:
        (folder / "truth.jsonl").unlink(missing_ok=True)
        screen.rule(f"Real packets: {', '.join(p.name for p in packets)}")
        feed = Feed(start("replay", *map(str, packets), "--rate", str(rate)))
    else:
        seed = seed if seed is not None else int(time.time())
        feed = simulated_night(folder, alerts, rate, seed)
    asyncio.run(follow(feed, folder, begun_ms))
    if feed.process.returncode:
        said = (folder / "feed.log").read_text().strip()
        raise click.ClickException(f"the packets did not all arrive: {said}")
    show_what_came_out(folder, begun_ms)


@dataclass
class Feed:
    """The process that feeds the mesh, and the notices that fall into the middle of it."""

    process: subprocess.Popen[bytes]
    story: Story = field(default_factory=lambda: Story([], 0, lambda _: None))
    said: list[str] = field(default_factory=list)


def simulated_night(folder: Path, alerts: int, rate: float, seed: int) -> Feed:
    """Start the telescope that does not exist, on the night after a real gamma-ray burst."""
    notice = folder / "notice.xml"
    written = run("mma", "sample-notice", "--kind", "grb", "--out", str(notice), "--json")
    event: dict[str, Any] = json.loads(written)
    screen.rule("A simulated night")
    screen.print(
        f"{alerts:,} alerts of a Rubin that does not exist (seed {seed}). Before the first of them "
        f"comes a real notice, out of the package gwcelery: [bold]{event['event_id']}[/], a "
        f"gamma-ray burst of {event['event_time']}, known to {event['radius_90_deg']:.0f} degrees. "
        "A kilonova and an afterglow are planted in its region. Will the mesh find them? Made up "
        "for the demo are what follows: a sharper position, and in the middle of the night a "
        "second burst, which gets a sharper position too and is then taken back."
    )
    send_notice(notice)
    screen.print(f"\n[bold]{time.strftime('%H:%M:%S')} the notice: a gamma-ray burst[/]\n")
    wait_until_known(f"observation/{event['event_id']}")
    place = (event["ra_deg"], event["dec_deg"], _PLANTED_WITHIN_DEG, event["event_mjd_tai"])
    process = start(
        "simulate", "--survey", "lsst", "--alerts", str(alerts), "--rate", str(rate),
        "--seed", str(seed), "--event-position", ",".join(f"{x:.6f}" for x in place),
        "--truth", str(folder / "truth.jsonl"),
    )  # fmt: skip
    story = Story(burst_story(folder, event["event_id"]), alerts, send_notice)
    return Feed(process, story)


def wait_until_known(event: str) -> None:
    """Wait until mma has told of an event (role and id), so that no alert of it passes before.

    Its region sets early; and filters judge an alert when it passes, not when a notice comes.
    """
    deadline = time.monotonic() + _KNOWN_S
    while newest_event(mesh_settings(), event, since_ms=0) is None:
        if time.monotonic() > deadline:
            screen.print("  nothing was told of it yet; the night begins without it")
            return
        time.sleep(0.3)


def burst_story(folder: Path, event_id: str) -> list[Step]:
    """The burst's update; a second burst (a test, with its own number), updated, taken back."""
    second = int(time.time())
    files = {}
    for kind in ("grb-update", "grb-second", "grb-second-update", "grb-second-retraction"):
        files[kind] = folder / f"{kind}.xml"
        options = ("--kind", kind, "--trigger", str(second), "--out", str(files[kind]))
        run("mma", "sample-notice", *options)
    first, other = f"observation/{event_id}", f"test/Fermi_GBM_{second}"
    return [
        Step(0.3, 0.0, "the burst's candidates so far", event=first),
        Step(0.3, 0.0, "a sharper position of it (update)", files["grb-update"]),
        Step(0.3, _TOLD_S, "its candidates, ranked anew", event=first),
        Step(0.5, 0.0, "in the middle of the night: a second burst", files["grb-second"]),
        Step(0.5, _TOLD_S, "its candidates", event=other),
        Step(0.65, 0.0, "a sharper position of it (update)", files["grb-second-update"]),
        Step(0.65, _TOLD_S, "its candidates, ranked anew", event=other),
        Step(0.8, 0.0, "it was none (retraction)", files["grb-second-retraction"]),
        Step(0.8, _TOLD_S, "its candidates are withdrawn", event=other),
    ]  # fmt: skip


def send_notice(notice: Path) -> None:
    """Put a notice on the topic."""
    run("mma", "send", str(notice))


async def follow(feed: Feed, folder: Path, begun_ms: int) -> None:
    """Show rates, ages and the story until the feed has ended and nothing moves any more."""
    measurement = Measurement(mesh_settings())
    begun_at = ingested(await measurement.take())
    quiet_since = ended_at = time.monotonic()
    plain = not screen.is_terminal
    with Live(console=screen, auto_refresh=False) as live:
        if plain:
            live.stop()
        while True:
            await asyncio.sleep(1.0)
            stages = await measurement.take()
            has_ended = feed.process.poll() is not None
            for step in feed.story.go_on(ingested(stages) - begun_at, ended=has_ended):
                feed.said.append(f"{time.strftime('%H:%M:%S')} {step.headline}")
                tell(step, folder, begun_ms)
            if plain:
                screen.print(as_progress(stages), soft_wrap=True)
            else:
                live.update(Group(as_table(stages), *feed.said), refresh=True)
            now = time.monotonic()
            if not has_ended:
                ended_at = now
            if not has_ended or not feed.story.is_over or any(s.in_per_s or s.lag for s in stages):
                quiet_since = now
            if now - quiet_since > _QUIET_S or now - ended_at > _PATIENCE_S:
                return


def tell(step: Step, folder: Path, begun_ms: int) -> None:
    """Say what was sent, or show an event's candidates as they stand."""
    screen.print(f"\n[bold]{time.strftime('%H:%M:%S')} {step.headline}[/]")
    if step.event:
        event = newest_event(mesh_settings(), step.event, begun_ms)
        if event is None:
            screen.print("  nothing was told of it yet")
        else:
            screen.print(candidates_table(event, truth_of(folder / "truth.jsonl")))
            screen.print()


def ingested(stages: list[StageRates]) -> int:
    """Packets that ingest has taken since its processes started."""
    return sum(stage.records_in for stage in stages if stage.service == "ingest")


def as_progress(stages: list[StageRates]) -> str:
    """One line where there is no terminal."""
    counts = " ".join(f"{s.service} {s.records_in}" for s in stages)
    return f"{time.strftime('%H:%M:%S')} {counts}"


def show_what_came_out(folder: Path, begun_ms: int) -> None:
    """Counts and account of all that is kept; of this night filters, events, an object; what next.

    Parameters
    ----------
    folder
        The demo's own.
    begun_ms
        When this night began, Unix milliseconds.
    """
    screen.rule("What came out")
    settings = mesh_settings()
    subprocess.run(tocsin("status"), check=False)
    screen.print()
    balance = subprocess.run(tocsin("audit", "--wait", "60"), check=False)
    screen.print()
    delivered = show_filters(screen, settings, begun_ms)
    screen.print()
    candidate = show_events(screen, settings, truth_of(folder / "truth.jsonl"), begun_ms)
    chosen = candidate or delivered
    if chosen:
        picture = folder / f"{chosen}.png"
        screen.rule(f"{'The best candidate' if candidate else 'Delivered most often'}: {chosen}")
        subprocess.run(tocsin("object", chosen, "--png", str(picture)), check=False)
    show_learning(folder, truth_of(folder / "truth.jsonl"))
    screen.rule("Where to look next")
    screen.print(
        "tocsin object ID --png FILE   light curve, matches, classes and cutouts\n"
        "tocsin packet ALERT_ID        the packet as the survey sent it\n"
        "tocsin watch                  rates and ages, live\n"
        "tocsin targets show           tonight's lists of real objects\n"
        "tocsin dead-letters list      what was refused, and why\n"
        f"logs in {settings.folder / 'logs'}; Kafka at {settings.kafka_bootstrap_servers}\n"
        "tocsin down                   stop everything (make clean deletes it too)"
    )
    if balance.returncode:
        raise SystemExit(balance.returncode)


def show_learning(folder: Path, truth: dict[str, str]) -> None:
    """A dozen nights of the loop that learns, in seconds; targets among tonight's objects."""
    screen.rule("What it learns")
    screen.print(
        f"{_NIGHTS} made-up nights of the nightly loop: a champion answers, a challenger that "
        "learns every night and trees fitted every week answer beside it, labels come two days "
        "later, and the gate promotes whoever is no worse. Real nights: tocsin learn nightly."
    )
    loop = folder / "learning"
    shutil.rmtree(loop, ignore_errors=True)
    nights = said_by("learn", "nightly", "--simulate", str(_NIGHTS), "--season", "made-up",
                     "--state", str(loop), "--json")  # fmt: skip
    if nights is None:
        return
    show_nights(screen, [json.loads(line) for line in nights.splitlines()])
    screen.print()
    if truth:
        lists = folder / "targets.json"
        lists.unlink(missing_ok=True)
        if said_by("targets", "make", "--simulated", "--json", str(lists)) is not None:
            show_targets(screen, json.loads(lists.read_text()), truth)


def said_by(*arguments: str) -> str | None:
    """What a verb says that the demo can do without; None, and so shown, if it fails."""
    verb = subprocess.run(tocsin(*arguments), capture_output=True, check=False)
    if verb.returncode:
        said = verb.stderr.decode(errors="replace").strip()
        screen.print(f"tocsin {' '.join(arguments[:2])} failed: {said}", markup=False)
        return None
    return verb.stdout.decode()


def truth_of(file: Path) -> dict[str, str]:
    """What each simulated object really is; nothing if the packets were real."""
    if not file.exists():
        return {}
    lines = (json.loads(line) for line in file.read_text().splitlines())
    return {line["object_id"]: line["model"] for line in lines}


def tocsin(*arguments: str) -> list[str]:
    """The command line of one of our verbs, with this interpreter."""
    return [sys.executable, "-m", "services.console", *arguments]


def run(*arguments: str) -> str:
    """Carry out a verb; its output. Ends the demo with its message if it fails."""
    verb = subprocess.run(tocsin(*arguments), stdout=subprocess.PIPE, check=False)
    if verb.returncode:
        raise click.ClickException(f"tocsin {' '.join(arguments)} failed")
    return verb.stdout.decode()


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a verb beside us, its words in a log of its own."""
    log = LocalSettings().folder / "demo" / "feed.log"
    with log.open("wb") as file:
        return subprocess.Popen(tocsin(*arguments), stdout=file, stderr=file)
