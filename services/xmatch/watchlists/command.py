"""``tocsin watchlists``: users' lists of positions and regions of the sky."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from services.xmatch.settings import XmatchSettings
from services.xmatch.watchlists.entries import DEFAULT_RADIUS_ARCSEC, Entry, WatchlistError
from services.xmatch.watchlists.positions import ColumnNames
from services.xmatch.watchlists.register import Register
from shared.telemetry.terminal import as_markup

_ABOUT = """\
Users' own catalogs. A list is a table of positions (CSV, FITS, VOTable, Parquet: RA and Dec in
degrees, if you like a radius in arcsec and a name in each row); a region is a MOC (FITS, ASCII
or JSON). Every alert in one gets a hit in its column `watchlists` or `regions`.

A list is private unless --public is given: only filters of the same owner see its hits.
Workers take up a change within seconds, without a restart."""
_EPILOG = """\
examples:
  tocsin watchlists import agn.csv --name agn --owner me@example.org --radius 1.5
  tocsin watchlists import footprint.moc.fits --name footprint --owner me@example.org --public
  tocsin watchlists list
  tocsin watchlists show agn --json
  tocsin watchlists remove agn --owner me@example.org
and then, in a filter of the same owner:
  where = "on_watchlist('agn') AND reliability > 0.5"

Importing a name again makes a new version. Exit status: 0 done, 2 not done, and why.
"""


def main(argv: list[str] | None = None) -> int:
    """Run one of the verbs; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        register = Register(XmatchSettings().watchlist_folder())
        return int(arguments.verb(register, arguments))
    except (WatchlistError, OSError) as error:
        print(error, file=sys.stderr)
    except ValidationError as error:
        print("; ".join(one["msg"] for one in error.errors()), file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin watchlists",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="import|list|show|remove|compile")
    add = verbs.add_parser("import", help="a file becomes the next version of a list or region")
    add.set_defaults(verb=_import)
    add.add_argument("file", type=Path, help="a table of positions, or a MOC")
    add.add_argument("--name", help="its name; the file's if not given")
    add.add_argument("--owner", required=True, help="whose it is, as in the owner's filters")
    add.add_argument("--public", action="store_true", help="everybody's filters see its hits")
    add.add_argument(
        "--radius", type=float, default=DEFAULT_RADIUS_ARCSEC, metavar="ARCSEC",
        help=f"of rows without one of their own; {DEFAULT_RADIUS_ARCSEC:g} if not given",
    )  # fmt: skip
    for what in ("ra", "dec", "radius", "target"):
        add.add_argument(f"--{what}-column", metavar="NAME", help=f"column of the {what}")
    show_all = verbs.add_parser("list", help="what is watched")
    show_all.set_defaults(verb=_list)
    show_all.add_argument("--json", action="store_true", help="one JSON line for each")
    for name, verb, words in (
        ("show", _show, "one list or region: version, rows, checksum"),
        ("remove", _remove, "forget all versions of one"),
    ):
        one = verbs.add_parser(name, help=words)
        one.set_defaults(verb=verb)
        one.add_argument("name")
        one.add_argument("--owner", help="where several owners have one of that name")
        if name == "show":
            one.add_argument("--json", action="store_true", help="one JSON line")
    again = verbs.add_parser("compile", help="make the index anew, should it be damaged")
    again.set_defaults(verb=_compile)
    return parser


def _import(register: Register, arguments: argparse.Namespace) -> int:
    path: Path = arguments.file
    names = ColumnNames(
        arguments.ra_column, arguments.dec_column, arguments.radius_column,
        arguments.target_column, arguments.radius,
    )  # fmt: skip
    console = Console(stderr=True, highlight=False)
    with console.status(f"importing {path.name}"):
        entry = register.add(
            path,
            name=arguments.name or path.name.partition(".")[0],
            owner=arguments.owner,
            is_public=arguments.public,
            names=names,
        )
    print(f"{_what(entry)}, version {entry.version}: {_size(entry)}, {_privacy(entry)}")
    if entry.bad_rows:
        first = ", ".join(str(row) for row in entry.first_bad_rows)
        print(
            f"{entry.bad_rows:,} rows left out, no positions or radii: rows {first} ...",
            file=sys.stderr,
        )
    return 0


def _list(register: Register, arguments: argparse.Namespace) -> int:
    entries = register.entries()
    if arguments.json:
        _print_json(entries)
        return 0
    if not entries:
        print("nothing is watched; see: tocsin watchlists import --help")
        return 0
    table = Table()
    for heading in ("name", "owner", "what", "seen by"):
        table.add_column(heading)
    for heading in ("version", "imported (UTC)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in entries:
        when = dt.datetime.fromtimestamp(entry.imported_ms / 1000, dt.UTC)
        table.add_row(
            as_markup(entry.name), as_markup(entry.owner), _size(entry),
            "everybody" if entry.is_public else "its owner", str(entry.version),
            when.strftime("%Y-%m-%d %H:%M"),
        )  # fmt: skip
    Console(highlight=False).print(table)
    return 0


def _show(register: Register, arguments: argparse.Namespace) -> int:
    entry = register.find(arguments.name, arguments.owner)
    if arguments.json:
        _print_json([entry])
        return 0
    table = Table(show_header=False, box=None)
    for name, value in entry.model_dump(mode="json").items():
        table.add_row(name, as_markup(value))
    Console(highlight=False).print(table)
    return 0


def _remove(register: Register, arguments: argparse.Namespace) -> int:
    entry = register.find(arguments.name, arguments.owner)
    register.remove(entry)
    print(f"{_what(entry)} is removed; alerts already matched keep their hits")
    return 0


def _compile(register: Register, _: argparse.Namespace) -> int:
    print(f"compiled: {register.compile() or 'nothing is watched'}")
    return 0


def _print_json(entries: Sequence[Entry]) -> None:
    for entry in entries:
        print(json.dumps(entry.model_dump(mode="json"), ensure_ascii=False))


def _what(entry: Entry) -> str:
    return f"{'region' if entry.kind == 'region' else 'list'} {entry.name} of {entry.owner}"


def _size(entry: Entry) -> str:
    if entry.sky_fraction is not None:
        return f"{41_252.96 * entry.sky_fraction:,.1f} deg² in {entry.rows:,} ranges"
    return f"{entry.rows:,} positions"


def _privacy(entry: Entry) -> str:
    return "public" if entry.is_public else "private to its owner's filters"


if __name__ == "__main__":
    sys.exit(main())
