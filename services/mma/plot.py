"""``tocsin mma plot``: a localisation and its candidates as a PNG."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from services.mma.archive_alerts import archived_associations, archived_notices
from services.mma.event_store import EventStore
from services.mma.positions import read_positions
from services.mma.region_files import read_region
from services.mma.settings import MmaSettings
from services.mma.sky_figure import Marked, draw_region
from services.mma.skymaps.base import Region
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.schemas.notice import Notice
from shared.store import open_store

DESCRIPTION = """\
Draw an event on the sky: Mollweide projection with the 50 and 90 % contours, candidates as dots,
and a closer view beside it if the 90 % region is below 1,000 square degrees. EVENT is the id of an
event in the archive (its best localisation and standing associations are drawn), or a file: a
FITS sky map or a notice."""

EXAMPLES = """\
examples:
  tocsin mma plot S240115x                              from the archive, to S240115x.png
  tocsin mma plot bayestar.multiorder.fits -o map.png
  tocsin mma plot burst.xml --candidates inside.csv     as `tocsin mma search` writes them

Exit status: 0 drawn, 1 no such event in the archive, 2 a file that cannot be used, or no
database."""


async def _from_archive(event_id: str) -> tuple[Region | None, Marked]:
    store = open_store(MmaSettings())
    try:
        notices = await archived_notices(store, event_id)
        told = await archived_associations(store, event_id)
    finally:
        store.close()
    told.sort(key=lambda one: one.credible_level)
    marked = Marked(
        np.array([one.ra_deg for one in told]),
        np.array([one.dec_deg for one in told]),
        [one.object_id for one in told],
    )
    return _region_of_event(notices, event_id), marked


def _region_of_event(notices: Sequence[Notice], event_id: str) -> Region | None:
    """Where an event is, or was before it was taken back; the real one before tests of its name."""
    events = EventStore()
    for notice in notices:
        with suppress(RejectedRecordError):
            events.add(notice)
    for key in sorted(events.keys(), key=lambda key: (key[0] != "observation", key)):
        history = events.history(key)
        if history is None or event_id not in {key[1], *(n.event_id for n in history.notices)}:
            continue
        best = history.best()
        if best is not None:
            return best[1]
        was = sorted(history.placed.values(), key=lambda place: place.area_90_deg2)
        if was:
            return was[0].region
    return None


def _candidates(path: Path | None) -> Marked:
    if path is None:
        return Marked(np.empty(0), np.empty(0), [])
    table = read_positions(path)
    named = next((n for n in ("object_id", "name") if n in table.table.column_names), None)
    names = table.table[named].to_pylist() if named else [""] * len(table)
    return Marked(table.ra_deg, table.dec_deg, [str(name) for name in names])


def main(argv: list[str] | None = None) -> int:
    """Draw what ``argv`` names."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma plot",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("event", metavar="EVENT", help="event id, FITS sky map or notice")
    parser.add_argument("-o", "--output", type=Path, metavar="PNG", help="default: <EVENT>.png")
    parser.add_argument("--candidates", type=Path, metavar="FILE", help="CSV or Parquet to mark")
    options = parser.parse_args(argv)
    path = Path(options.event)
    output = options.output or Path(f"{path.name.split('.')[0].replace('/', '_')}.png")
    try:
        marked = _candidates(options.candidates)
        if path.exists():
            region: Region | None = read_region(path)
        else:
            region, told = asyncio.run(_from_archive(options.event))
            marked = marked if options.candidates else told
        if region is None:
            sys.stderr.write(
                f"tocsin mma plot: {options.event}: neither a file nor an event with a place "
                "in the archive\n"
            )
            return 1
        draw_region(region, marked, path.name, output)
    except RejectedRecordError as error:
        sys.stderr.write(f"tocsin mma plot: {error.detail}\n")
        return 2
    except (UpstreamUnavailableError, OSError) as error:
        sys.stderr.write(f"tocsin mma plot: {error}\n")
        return 2
    sys.stdout.write(f"{output}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
