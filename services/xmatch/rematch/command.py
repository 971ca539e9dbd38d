"""``tocsin rematch``: match recent objects again, and tell what has changed."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from services.xmatch.matching import Matcher, open_matcher
from services.xmatch.rematch.latest import Rows, Seen, latest_rows
from services.xmatch.rematch.progress_file import Night, ProgressFile
from services.xmatch.rematch.run import Rematch, Summary
from services.xmatch.settings import XmatchSettings
from shared.errors import TocsinError, UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings
from shared.store import Collection, Store, open_store
from shared.telemetry.logs import configure_logs
from shared.telemetry.terminal import as_markup

ARCHIVE_GROUP = "archive"
"""Consumer group, without prefix, that keeps the updates a run compares with."""
_ARCHIVE_PATIENCE_S = 60.0
_ABOUT = """\
Match the latest alert of each recent object again, with the catalogs, watchlists and regions of
today, and put what differs from what is known on the topic `updates`. `tocsin object` shows it.

Do so when a catalog or a list has changed. Nothing is rewritten; a second run finds nothing to
do; one that was interrupted goes on where it stopped."""
_EPILOG = """\
examples:
  tocsin rematch                        objects of the last 30 nights, all catalogs
  tocsin rematch --days 7 --catalog vsx what the new VSX says about the last week
  tocsin rematch --object ZTF21abiuvdk  one object, whenever it was seen
  tocsin rematch --since 60324 --dry-run  count the changes and tell nobody

A night is the modified Julian date of its evening. Exit status: 0 done, 2 not done, and why.
"""


def main(argv: list[str] | None = None) -> int:
    """Match again; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        settings = XmatchSettings()
        configure_logs("rematch", "WARNING")
        matcher = open_matcher(settings)
        if arguments.catalog is not None and arguments.catalog not in matcher.catalog_names:
            known = ", ".join(matcher.catalog_names) or "none"
            print(f"no catalog {arguments.catalog!r} is open; open are: {known}", file=sys.stderr)
            return 2
        summary = asyncio.run(_run(settings, matcher, arguments))
    except UpstreamUnavailableError as error:
        print(f"{error}\nIs it running? tocsin status", file=sys.stderr)
        return 2
    except (TocsinError, ValidationError, ValueError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    _print(summary, is_dry=arguments.dry_run)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin rematch",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--since", type=int, metavar="NIGHT", help="nights from this one on")
    what.add_argument("--days", type=int, default=30, metavar="N", help="the last N nights (30)")
    what.add_argument("--object", metavar="ID", help="this object only")
    parser.add_argument("--catalog", metavar="NAME", help="judge only the matches of this one")
    parser.add_argument("--dry-run", action="store_true", help="count the changes, tell nobody")
    return parser


async def _run(
    settings: XmatchSettings, matcher: Matcher, arguments: argparse.Namespace
) -> Summary:
    store = open_store(settings)
    outbox = Outbox(settings)
    topic = Topic.UPDATES.named(settings.topic_prefix)

    async def send(messages: Sequence[Message]) -> None:
        await outbox.send(topic, messages)

    rematch = Rematch(
        store,
        matcher.match_again,
        matcher.catalog_names if arguments.catalog is None else (arguments.catalog,),
        watched=arguments.catalog is None,
        send=None if arguments.dry_run else send,
    )
    summary = Summary()
    try:
        await archive_has_kept(settings, topic, _ARCHIVE_PATIENCE_S)
        if arguments.object is not None:
            query = {"object_ids": arguments.object}
            rows = await _rows_of_object(store, query, arguments.object)
            await rematch.carry_out(rows, summary)
            return summary
        nights = await _nights(store, settings, arguments)
        kind = [matcher.versions, arguments.catalog, arguments.since, arguments.days,
                arguments.dry_run, settings.database_name, settings.topic_prefix]  # fmt: skip
        await _match_nights(
            rematch, nights, summary, ProgressFile(settings.state_dir / "rematch", kind)
        )
    finally:
        await outbox.stop()
        store.close()
    return summary


async def archive_has_kept(settings: ServiceSettings, topic: str, patience_s: float) -> None:
    """Wait until the archive has kept all updates: a run compares with them.

    Raises
    ------
    UpstreamUnavailableError
        If it does not in time.
    """
    deadline_s = time.monotonic() + patience_s
    while True:
        try:
            waiting = await _not_kept(settings, topic)
            why = f"the archive has yet to keep {waiting} updates"
        except (KafkaError, OSError) as error:  # a group's coordinator that is just being made
            waiting, why = -1, f"Kafka does not say what the archive has kept: {error}"
        if not waiting:
            return
        if time.monotonic() > deadline_s:
            raise UpstreamUnavailableError(why)
        await asyncio.sleep(1.0)


async def _not_kept(settings: ServiceSettings, topic: str) -> int:
    """How many messages of a topic the archive has not committed."""
    async with KafkaAdmin(settings) as admin:
        ends = await admin.end_offsets([topic])
        begins = await admin.begin_offsets([topic])
        if ends == begins:
            return 0
        kept = await admin.committed(f"{settings.topic_prefix}{ARCHIVE_GROUP}")
    return sum(end - max(kept.get(place, 0), begins[place]) for place, end in ends.items())


async def _rows_of_object(store: Store, query: dict[str, Any], object_id: str) -> Rows:
    """The latest alert of one object, in each survey that has one of that name."""
    found: Rows = {}
    latest: dict[str, tuple[int, str, int]] = {}
    async for document in store.stream(
        Collection.ENVELOPES, query, fields=["object_ids", "timestamp_ms", "survey"]
    ):
        names = document["object_ids"]
        row = len(names) - 1 - names[::-1].index(object_id)
        place = (document["timestamp_ms"], document["_id"], row)
        latest[document["survey"]] = max(latest.get(document["survey"], place), place)
    for _, envelope, row in latest.values():
        found.setdefault(envelope, []).append(row)
    return found


async def _nights(
    store: Store, settings: XmatchSettings, arguments: argparse.Namespace
) -> list[Night]:
    """Nights with alerts, the latest first, survey by survey."""
    tonight = int(time.time() / 86_400.0 + 40_587.0 - 0.75)
    since = arguments.since if arguments.since is not None else tonight - arguments.days
    nights = []
    for survey in dict(settings.survey_topic_pairs()):
        query = {"survey": survey, "night": {"$gte": since}}
        found = await store.find(Collection.ENVELOPES, query, fields=["night"])
        nights += [(survey, night) for night in {document["night"] for document in found}]
    return sorted(nights, key=lambda night: (night[0], -night[1]))


async def _match_nights(
    rematch: Rematch, nights: Sequence[Night], summary: Summary, done: ProgressFile
) -> None:
    seen: dict[str, Seen] = {}
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), disable=not sys.stderr.isatty(),
    )  # fmt: skip
    with bar:
        for survey, night in nights:
            query = {"survey": survey, "night": night}
            # Of a night that is done too: its objects' older alerts are not their latest.
            rows = await latest_rows(rematch.store, query, seen.setdefault(survey, Seen.nothing()))
            if (survey, night) in done.done:
                continue
            total = sum(map(len, rows.values()))
            task = bar.add_task(f"{survey} night {night}", total=total)
            await rematch.carry_out(rows, summary, partial(bar.advance, task))
            done.add((survey, night))
    done.complete()


def _print(summary: Summary, *, is_dry: bool) -> None:
    would = "would be told" if is_dry else "told"
    print(f"{summary.objects:,} objects matched again, {summary.changed:,} {would} as updates")
    if not summary.changes:
        return
    table = Table()
    for heading in ("catalog or list", "added", "removed", "changed"):
        table.add_column(heading, justify="left" if "catalog" in heading else "right")
    for catalog in sorted({name for name, _ in summary.changes}):
        counts = (summary.changes[catalog, what] for what in ("added", "removed", "changed"))
        table.add_row(as_markup(catalog), *(f"{count:,}" for count in counts))
    Console(highlight=False).print(table)


if __name__ == "__main__":
    sys.exit(main())
