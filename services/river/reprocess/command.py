"""``tocsin reprocess``: a night through today's services again, compared with what it was."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from services.archive.nightly.pack import pack_night
from services.river.reprocess.compare import compare, paths_of
from services.river.reprocess.outcome import alerts_of, delete_topics, letters_of
from services.river.reprocess.packets import (
    Origin,
    TopicWriter,
    origins_of_night,
    packets_of,
)
from services.river.reprocess.worker import FusedWorker
from shared.archive.nights import night_date, night_from
from shared.archive.packets import packets_root
from shared.archive.snapshots import archive_root, current_snapshot, surveys_in
from shared.errors import TocsinError
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings
from shared.store import Collection, Store, open_store
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Send a night's packets through ingest, xmatch, classify and mma again, as they are today: new
catalogs, new models, new code. The live topics, the database and the packed nights are not
touched: the run has topics of its own, deleted at the end, and writes Parquet of its own, in HATS
layout, below the state folder in reprocessed/NAME/. What changed is told and kept beside it."""
EPILOG = """\
examples:
  tocsin reprocess --night 2026-11-22
  tocsin reprocess --night 60000 --survey ztf --into new_models
  lsdb.open_catalog(".tocsin/reprocessed/new_models/ztf/current/alerts")

Needs the survey's packets of that night (TOCSIN_ARCHIVE_KEEP_PACKETS) and a running Kafka and
database. Private topics and labels of users are not read.
Exit status: 0 done, 1 done but some alerts did not come out again, 2 cannot.
"""
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
MOST_NOTICES = 20_000


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be done."""

    survey: str
    night: int
    name: str
    prefix: str
    """Of the run's topics and consumer groups."""
    packets: str
    """Full name of the topic of its packets."""
    root: Path
    """Where its Parquet goes."""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    made = argparse.ArgumentParser(
        prog="tocsin reprocess",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--night", required=True, help="60000, or the evening's date: 2026-11-22")
    made.add_argument("--survey", default="ztf", help="default: ztf")
    made.add_argument("--into", metavar="NAME", help="name of the result; default: the night")
    made.add_argument("--again", action="store_true", help="replace a result of that name")
    asked = made.parse_args(argv)
    configure_logs("reprocess", "ERROR")
    settings = ServiceSettings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that topics are deleted
    try:
        run = _run_of(settings, asked)
        return _reprocess(settings, run)
    except (TocsinError, ValueError, OSError) as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        return 2


def _run_of(settings: ServiceSettings, asked: argparse.Namespace) -> Run:
    night = night_from(asked.night)
    name = asked.into or str(night)
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a result: small letters, digits, _ and -")
    root = settings.state_dir / "reprocessed" / name
    if (root / asked.survey).exists():
        if not asked.again:
            raise ValueError(
                f"{root / asked.survey} exists; --again replaces it, or --into another"
            )
        shutil.rmtree(root / asked.survey)
    prefix = f"{settings.topic_prefix}reprocess.{name}."
    return Run(asked.survey, night, name, prefix, f"{prefix}packets.{asked.survey}", root)


def _reprocess(settings: ServiceSettings, run: Run) -> int:
    packed = current_snapshot(archive_root(settings.state_dir), run.survey)
    if packed is None or run.night not in packed.nights:
        raise ValueError(_not_packed(settings, run))
    origins, notices = asyncio.run(_asked_of_database(settings, run))
    if not origins:
        raise ValueError(
            f"the database has no alert of {run.survey} of night {run.night};"
            " --survey asks for another's"
        )
    own = settings.model_copy(update={"topic_prefix": run.prefix})
    console = Console(stderr=True)
    delete_topics(settings, run.prefix)  # of a run that was killed
    with tempfile.TemporaryDirectory(prefix="tocsin-reprocess-") as folder:
        try:
            asyncio.run(ensure_topics(own, [*mesh_topics(own), run.packets]))
            missing = _send(settings, run, list(origins.values()), notices)
            sent = len(origins) - missing
            with (
                FusedWorker(settings, run.prefix, run.survey, run.packets, Path(folder)) as worker,
                Progress(console=console, transient=True, disable=not console.is_terminal) as bars,
            ):
                task = bars.add_task("packets", total=sent)
                worker.wait(sent, lambda done: bars.update(task, completed=done))
            outcome = _keep(settings, run, origins)
        finally:
            delete_topics(settings, run.prefix)
    outcome["packets_missing"] = missing
    (run.root / "comparison.json").write_text(json.dumps(outcome, indent=1) + "\n")
    _tell(run, outcome)
    return 1 if missing or outcome["compared"]["alerts"]["gone"] else 0


def _not_packed(settings: ServiceSettings, run: Run) -> str:
    """That there is nothing to compare with, and who has that night."""
    root = archive_root(settings.state_dir)
    others = [
        survey
        for survey in surveys_in(root)
        if (packed := current_snapshot(root, survey)) and run.night in packed.nights
    ]
    instead = f", or --survey {others[0]}, which has that night" if others else ""
    return (
        f"night {run.night} of {run.survey} is not packed, so there is nothing to compare with; "
        f"first: tocsin archive pack --night {run.night} --survey {run.survey}{instead}"
    )


async def _asked_of_database(
    settings: ServiceSettings, run: Run
) -> tuple[dict[str, Origin], list[dict[str, Any]]]:
    """The night's origins, and the notices that its alerts may belong to."""
    store: Store = open_store(settings)
    try:
        origins = await origins_of_night(store, run.survey, run.night)
        fields = ["timestamp_ms", "key", "value"]
        notices = await store.find(Collection.NOTICES, {}, fields=fields, limit=MOST_NOTICES)
    finally:
        store.close()
    return origins, sorted(notices, key=lambda notice: int(notice["timestamp_ms"]))


def _send(
    settings: ServiceSettings, run: Run, origins: list[Origin], notices: list[dict[str, Any]]
) -> int:
    """Notices and packets onto the run's topics; how many packets are not kept."""
    writer = TopicWriter(settings)
    for notice in notices:
        key = notice["key"].encode() if notice["key"] is not None else None
        writer.write(
            Topic.NOTICES.named(run.prefix), notice["value"], key=key,
            timestamp_ms=notice["timestamp_ms"],
        )  # fmt: skip
    missing = 0
    for origin, packet in packets_of(packets_root(settings.state_dir), origins):
        if packet is None:
            missing += 1
        else:
            writer.write(run.packets, packet, key=None, timestamp_ms=origin.emitted_ms)
    writer.finish()
    if missing == len(origins):
        raise ValueError(
            f"none of the night's {missing} packets is kept below "
            f"{packets_root(settings.state_dir)}; is TOCSIN_STATE_DIR right?"
        )
    return missing


def _keep(settings: ServiceSettings, run: Run, origins: dict[str, Origin]) -> dict[str, Any]:
    """Pack what came out, and compare it with what is packed."""
    topic = Topic.CORRELATED.named(run.prefix)
    pack_night(
        run.root, run.survey, run.night, alerts_of(settings, topic, origins), expected=len(origins)
    )
    after = current_snapshot(run.root, run.survey)
    before = current_snapshot(archive_root(settings.state_dir), run.survey)
    letters: Counter[str] = letters_of(settings, Topic.DEAD_LETTERS.named(run.prefix))
    return {
        "survey": run.survey,
        "night": run.night,
        "dead_letters": dict(letters),
        "compared": compare(run.night, paths_of(before, run.night), paths_of(after, run.night)),
    }


def _tell(run: Run, outcome: dict[str, Any]) -> None:
    compared = outcome["compared"]
    alerts = compared["alerts"]
    print(f"{run.survey} {run.night} ({night_date(run.night)}): {alerts['both']:,} alerts again, "
          f"{alerts['gone']:,} did not come out, {alerts['new']:,} new")  # fmt: skip
    for reason, count in outcome["dead_letters"].items():
        print(f"  dead letters, {reason}: {count:,}")
    for name, count in compared["changed"].items():
        print(f"  {name} changed: {count:,}")
    for name, found in compared["classifiers"].items():
        models = {found["model_before"], found["model_after"]}
        model = " -> ".join(dict.fromkeys([str(found["model_before"]), str(found["model_after"])]))
        words = f"model {model}" if len(models) > 1 else f"same model {model}"
        print(f"  {name}: {found['answers']:,} answers changed ({words})")
        for change in found.get("classes", ())[:5]:
            print(f"    {change['before']} -> {change['after']}: {change['alerts']:,}")
    print(f"kept in {run.root}: {run.survey}/current/alerts, comparison.json")


if __name__ == "__main__":
    sys.exit(main())
