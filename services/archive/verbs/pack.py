"""``tocsin archive pack``: nights of the database as Parquet, those that are due or those named."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import sys
import time
from pathlib import Path

from services.archive.nightly.database import DatabaseNight, due_nights, night_tables, nights_in
from services.archive.nightly.draft import WriterBusyError
from services.archive.nightly.pack import Packed, pack_night
from services.archive.settings import ArchiveSettings
from services.archive.verbs.screen import GOOD, guarded, nights_argument, parser
from shared.archive.nights import night_date
from shared.archive.snapshots import archive_root
from shared.store import Collection, Store, open_store

DESCRIPTION = """\
Put nights into Parquet in HATS layout, for lsdb, DuckDB, Spark, Dask and tocsin archive query.
What is there already is passed over, so packing a night again adds what came late. A kill at any
moment leaves either what was there, or all of the night."""
EPILOG = """\
examples:
  tocsin archive pack                        every night that is over and quiet
  tocsin archive pack --night 2026-11-22     one night, over or not
  tocsin archive pack --night 60000:60030 --survey ztf

The archive's worker does the first by itself (TOCSIN_ARCHIVE_PACK_EVERY_S).
Exit status: 0 packed or nothing to do, 2 cannot.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    made = parser("pack", DESCRIPTION, EPILOG)
    made.add_argument("--night", type=nights_argument, metavar="N[:M]",
                      help="these nights: 60000, 2026-11-22, 60000:60030")  # fmt: skip
    made.add_argument("--survey", action="append", default=[], help="only this survey; repeatable")
    made.add_argument("--order", type=int, choices=range(7), metavar="0..6",
                      help="HEALPix order of a survey's first snapshot")  # fmt: skip
    made.add_argument("--quiet", action="store_true", help="say nothing if there is nothing to do")
    asked = made.parse_args(argv)
    return guarded(lambda: _pack(asked, ArchiveSettings()))


def _pack(asked: argparse.Namespace, settings: ArchiveSettings) -> int:
    if asked.quiet:
        os.nice(10)  # beside a worker that must keep up
    root = archive_root(settings.state_dir)
    packed = 0
    with asyncio.Runner() as runner:
        store = runner.run(_opened(settings))
        try:
            for one in runner.run(_wanted(store, root, asked, settings)):
                started = time.perf_counter()
                outcome = _pack_one(runner, store, root, one, asked.order)
                _tell(one, outcome, time.perf_counter() - started, asked.quiet)
                packed += 1
        except WriterBusyError as error:
            if not asked.quiet:
                raise
            print(f"not now: {error}")
        finally:
            store.close()
    if not packed and not asked.quiet:
        print(
            "nothing to pack" if asked.night else "no night is due; tocsin archive list shows all"
        )
    return GOOD


async def _opened(settings: ArchiveSettings) -> Store:
    """The store, made inside the loop that will use it."""
    return open_store(settings)


async def _wanted(
    store: Store, root: Path, asked: argparse.Namespace, settings: ArchiveSettings
) -> list[DatabaseNight]:
    if asked.night:
        found = await nights_in(store, asked.survey)
        return [one for one in found if one.night in asked.night]
    now = dt.datetime.now(dt.UTC)
    found = await due_nights(store, root, now, settings.archive_pack_quiet_s)
    return [one for one in found if not asked.survey or one.survey in asked.survey]


def _pack_one(
    runner: asyncio.Runner, store: Store, root: Path, one: DatabaseNight, order: int | None
) -> Packed:
    query = {"survey": one.survey, "nights": one.night}
    counts = runner.run(store.find(Collection.ENVELOPES, query, fields=["n_alerts"]))
    return pack_night(
        root,
        one.survey,
        one.night,
        night_tables(runner, store, one.survey, one.night),
        expected=sum(document["n_alerts"] for document in counts),
        envelopes=len(counts),
        order=order,
    )


def _tell(one: DatabaseNight, outcome: Packed, seconds: float, is_quiet: bool) -> None:
    if is_quiet and not outcome.new:
        return
    print(
        f"{one.survey} {one.night} ({night_date(one.night)}): {outcome.new:,} new alerts, "
        f"{outcome.repeats:,} repeats, {seconds:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
