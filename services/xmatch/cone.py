"""``tocsin xmatch cone``: what the catalogs know about a position."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalog_store import ALL, open_catalogs
from services.xmatch.catalogs import CATALOGS
from services.xmatch.crossmatch import matches_column
from services.xmatch.settings import XmatchSettings
from shared.sky.cone_search import Queries, cone_search
from shared.sky.separation import galactic_latitude_of
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Search the catalogs around a position, as xmatch does for every alert.

Without --radius each catalog's own radius holds: 1.5 arcsec for variable stars, the
semi-major axis for galaxies and nebulae."""

EXAMPLES = """\
examples:
  tocsin xmatch cone 0.8143 16.1457                   SN 2021rhu: its host is NGC 7814
  tocsin xmatch cone 00:03:15.43 +16:08:44.5 --json   the same in hours, for a script
  tocsin xmatch cone 279.2347 38.7837 --radius 120    all within two arcminutes of Vega"""


def angle_deg(text: str, *, is_ra: bool) -> float:
    """Read ``12.5``, ``00:03:15.4`` (hours for a right ascension) or ``-41:16:08``, as degrees.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    parts = text.strip().split(":")
    if len(parts) == 1:
        return float(parts[0])
    if len(parts) != 3 or not all(re.fullmatch(r"[+-]?\d+(\.\d*)?", part) for part in parts):
        raise ValueError(f"{text!r} is neither degrees nor three numbers with colons")
    sign = -1.0 if parts[0].startswith("-") else 1.0
    first, minutes, seconds = (abs(float(part)) for part in parts)
    return sign * (first + minutes / 60.0 + seconds / 3_600.0) * (15.0 if is_ra else 1.0)


def look_up(
    catalogs: Sequence[CatalogIndex],
    ra_deg: float,
    dec_deg: float,
    radius_arcsec: float,
    most_per_catalog: int,
) -> dict[str, Any]:
    """All that is known at one position, ready for JSON.

    Parameters
    ----------
    catalogs
        What to search.
    ra_deg, dec_deg
        ICRS, degrees.
    radius_arcsec
        Radius every source has at least, arcseconds; 0 for the catalogs' own.
    most_per_catalog
        Keep so many of each catalog, the nearest; 0 for all.
    """
    queries = Queries.at(ra_deg, dec_deg)
    found = [
        cone_search(c.positions, queries, least_radius_arcsec=radius_arcsec, most=most_per_catalog)
        for c in catalogs
    ]
    return {
        "ra_deg": ra_deg,
        "dec_deg": dec_deg,
        "healpix29": str(queries.cells29[0]),
        "galactic_latitude_deg": round(float(galactic_latitude_of(queries.vectors)[0]), 6),
        "catalogs": [
            {"name": c.name, "version": c.version, "rows": len(c.positions)} for c in catalogs
        ],
        "matches": [_shortened(match) for match in matches_column(1, catalogs, found)[0].as_py()],
    }


def _shortened(match: dict[str, Any]) -> dict[str, Any]:
    """Floats of single precision without the digits they do not have."""
    return {
        name: float(str(np.float32(value))) if isinstance(value, float) else value
        for name, value in match.items()
    }


def show(console: Console, known: dict[str, Any]) -> None:
    """Print what is known as a table."""
    title = (
        f"RA {known['ra_deg']:.6f}°  Dec {known['dec_deg']:+.6f}°  "
        f"galactic latitude {known['galactic_latitude_deg']:+.2f}°"
    )
    if not known["matches"]:
        searched = ", ".join(f"{c['name']} ({c['rows']:,})" for c in known["catalogs"])
        console.print(f"{title}\nnothing known here; searched: {searched or 'no catalog at all'}")
        return
    table = Table(title=title, title_justify="left")
    for heading in ("catalog", "source", "class"):
        table.add_column(heading, no_wrap=heading == "source")
    for heading in ("sep. ″", "redshift", "mag", "size ″"):
        table.add_column(heading, justify="right", no_wrap=True)
    for match in known["matches"]:
        numbers = (match[name] for name in ("redshift", "magnitude", "major_axis_arcsec"))
        table.add_row(
            match["catalog"],
            match["source_id"],
            match["source_class"] or "",
            f"{match['separation_arcsec']:.2f}",
            *("" if number is None else f"{number:g}" for number in numbers),
        )
    console.print(table)


def _parser(settings: XmatchSettings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin xmatch cone",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ra", metavar="RA", help="ICRS, degrees, or hours as hh:mm:ss.s")
    parser.add_argument("dec", metavar="DEC", help="ICRS, degrees, or ±dd:mm:ss.s")
    parser.add_argument("--radius", type=float, default=0.0, metavar="ARCSEC",
                        help="search at least so far around, arcseconds")  # fmt: skip
    parser.add_argument("--most", type=int, default=20, metavar="N",
                        help="show so many of each catalog, the nearest; 0 for all")  # fmt: skip
    parser.add_argument("--catalogs", default=settings.xmatch_catalogs, metavar="NAMES",
                        help=f"separated by commas: {','.join(CATALOGS)}")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON, for a script")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the verb; 0 if the search was made, whatever it found."""
    settings = XmatchSettings()
    configure_logs("xmatch", "WARNING")
    parser = _parser(settings)
    # A blank before -41:16:08 keeps argparse from taking it for an option.
    words = [
        f" {w}" if re.match(r"-\.?\d", w) else w for w in (sys.argv[1:] if argv is None else argv)
    ]
    asked = parser.parse_args(words)
    try:
        ra_deg = angle_deg(asked.ra, is_ra=True)
        dec_deg = angle_deg(asked.dec, is_ra=False)
    except ValueError as error:
        parser.error(str(error))
    if not (-360.0 <= ra_deg <= 360.0 and abs(dec_deg) <= 90.0):
        parser.error(f"RA {asked.ra} Dec {asked.dec} is not a place on the sky")
    if not 0.0 <= asked.radius <= 648_000.0 or asked.most < 0:
        parser.error("--radius is 0 to 648000 arcseconds, --most 0 or more")
    names = [name.strip() for name in asked.catalogs.split(",") if name.strip()]
    try:
        with Console(stderr=True).status("opening catalogs (the first time takes seconds)"):
            catalogs = open_catalogs(names, settings.catalog_folder())
    except ValueError as error:
        parser.error(str(error))
    known = look_up(catalogs, ra_deg % 360.0, dec_deg, asked.radius, asked.most)
    found = {catalog.name for catalog in catalogs}
    known["not_searched"] = [name for name in names if name not in {*found, ALL}]
    if asked.json:
        sys.stdout.write(json.dumps(known, indent=2) + "\n")
    else:
        show(Console(), known)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
