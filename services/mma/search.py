"""``tocsin mma search``: alerts of the archive inside a sky map."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.mma.archive_alerts import archived_alerts
from services.mma.candidates import Candidates
from services.mma.notices.times import mjd_tai_of_iso
from services.mma.positions import write_table
from services.mma.region_files import read_region
from services.mma.settings import MmaSettings
from services.mma.skymaps.base import Region
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.light_curves.photometry import mjd_tai_of_utc
from shared.store import open_store

DESCRIPTION = """\
Find the alerts of the archive inside a sky map: those of [since, until) whose credible level is
at most --max-level, the most credible first, each object once (its latest alert) unless --alerts.
The map may be a FITS file or a notice, as for `tocsin mma locate`."""

EXAMPLES = """\
examples:
  tocsin mma search --map bayestar.multiorder.fits --since 2024-01-15 --until 2024-01-16
  tocsin mma search --map burst.xml --since 2024-01-15T02:00 -o inside.parquet --max-level 0.99
  tocsin mma search --map S240115x.json.gz --since 60324.5 --new-since 60324.59

Times are UTC (ISO 8601) or MJD in TAI.
Exit status: 0 done (also if nothing is inside), 2 a file or time that cannot be used, or no
database."""

_DAY_ONLY = 10


def mjd_of_argument(text: str) -> float:
    """MJD TAI of ``2024-01-15``, ``2024-01-15T02:00[:00]`` (UTC) or an MJD.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is neither.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return mjd_tai_of_iso(f"{text}T00:00:00" if len(text) == _DAY_ONLY else text)
    except RejectedRecordError as error:
        raise argparse.ArgumentTypeError(f"{error.detail}, nor an MJD") from error


def inside(region: Region, alerts: Candidates, max_level: float) -> pa.Table:
    """The alerts of a block within ``max_level``, with level, area and density beside them."""
    places = (alerts.numbers("ra_deg"), alerts.numbers("dec_deg"), alerts.healpix29)
    levels = region.credible_levels(*places)
    kept = np.flatnonzero(levels <= max_level)
    ra_deg, dec_deg, cells = places[0][kept], places[1][kept], places[2][kept]
    table = pa.Table.from_batches([alerts.record_batch]).take(kept)
    for name, values in {
        "credible_level": levels[kept],
        "searched_area_deg2": region.searched_areas_deg2(ra_deg, dec_deg, cells),
        "density_per_sr": region.densities_per_sr(ra_deg, dec_deg, cells),
    }.items():
        table = table.append_column(name, pa.array(values))
    return table


async def search(
    settings: MmaSettings, region: Region, options: argparse.Namespace
) -> pa.Table | None:
    """All alerts of the archive that ``options`` ask for; None if there are none."""
    surveys = [survey for survey, _ in settings.survey_topic_pairs()]
    store = open_store(settings)
    found = []
    try:
        async for block in archived_alerts(store, surveys, options.since, options.until):
            table = inside(region, block, options.max_level)
            if options.new_since is not None:
                first = table["first_detection_mjd_tai"].to_numpy()
                table = table.filter(pa.array(first >= options.new_since))
            if table.num_rows:
                found.append(table)
    finally:
        store.close()
    if not found:
        return None
    return _ordered(pa.concat_tables(found), every_alert=options.alerts)


def _ordered(table: pa.Table, *, every_alert: bool) -> pa.Table:
    """Repeated alerts out, one per object unless asked, the most credible first."""
    by_time = table.sort_by([("mjd_tai", "descending"), ("alert_id", "ascending")])
    key = "alert_id" if every_alert else "object_id"
    names = pc.binary_join_element_wise(by_time["survey"], by_time[key], "\x00")
    _, first = np.unique(np.asarray(names.to_pylist(), dtype=object).astype(str), return_index=True)
    chosen = by_time.take(np.sort(first))
    return chosen.sort_by([("credible_level", "ascending"), ("object_id", "ascending")])


def main(argv: list[str] | None = None) -> int:
    """Search the archive as ``argv`` says."""
    options = _parser().parse_args(argv)
    if options.until is None:
        options.until = float(mjd_tai_of_utc(40587.0 + time.time() / 86400.0))
    try:
        if options.since >= options.until:
            raise RejectedRecordError("bad_time", "--since must be before --until")
        table = asyncio.run(search(MmaSettings(), read_region(options.map), options))
        if table is None:
            sys.stderr.write("tocsin mma search: no alert of that time is inside the map\n")
            return 0
        write_table(table, options.output)
    except RejectedRecordError as error:
        sys.stderr.write(f"tocsin mma search: {error.detail}\n")
        return 2
    except UpstreamUnavailableError as error:
        sys.stderr.write(f"tocsin mma search: {error}; is it running? tocsin status\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin mma search",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--map", type=Path, required=True, metavar="FILE", help="sky map or notice")
    parser.add_argument(
        "--since", type=mjd_of_argument, required=True, metavar="TIME", help="first exposure"
    )
    parser.add_argument(
        "--until", type=mjd_of_argument, metavar="TIME", help="end, excluded (default: now)"
    )
    parser.add_argument(
        "--new-since", type=mjd_of_argument, metavar="TIME",
        help="only objects first detected at or after this: those that may be new",
    )  # fmt: skip
    parser.add_argument("--max-level", type=_level, default=0.9, help="default 0.9")
    parser.add_argument("--alerts", action="store_true", help="every alert, not one per object")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="CSV or Parquet file")
    return parser


def _level(text: str) -> float:
    level = float(text)
    if not 0 < level <= 1:
        raise argparse.ArgumentTypeError("a credible level is above 0 and at most 1")
    return level


if __name__ == "__main__":
    sys.exit(main())
