"""``tocsin crossmatch``: a table of positions beside what the catalogs know there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalog_store import names_of, open_named
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.files.account import Account
from services.xmatch.files.errors import UnusableFileError
from services.xmatch.files.joining import MatchOptions, added_names, join_piece
from services.xmatch.files.positions import PositionColumns, find_columns, queries_of
from services.xmatch.files.reading import UserTable, open_table
from services.xmatch.files.typing_text import column_types, typed
from services.xmatch.files.writing import ResultFile
from services.xmatch.settings import XmatchSettings
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Match a table of positions with the catalogs of this machine. No server is needed.

FILE is CSV (or tab-separated, .gz, .zip), Parquet, FITS or VOTable with ICRS positions in
degrees in columns ra and dec (or ra_deg and dec_deg, RAJ2000 and DEJ2000, RA_ICRS and DE_ICRS),
or in those named with --ra and --dec. The columns catalog, match_id, separation_arcsec,
match_class and redshift are put beside all of the table's own (xmatch_redshift and so on where
the table has one of that name). A row comes out once for each match, nearest first; a row without
a match stays, with nulls, and so does a row without a position, which is reported."""

EPILOG = """\
examples:
  tocsin crossmatch stars.csv                               all catalogs, CSV to the screen
  tocsin crossmatch stars.csv --catalogs vsx,gcvs --radius-arcsec 1.5 -o matched.csv
  tocsin crossmatch survey.fits --ra ALPHA_J2000 --dec DELTA_J2000 --nearest -o matched.parquet
  tocsin crossmatch alerts.parquet --mjd mjd_tai -o matched.parquet
  tocsin crossmatch plate.vot --epoch 1953.2 -o matched.vot   stars where they were in 1953

Without --mjd or --epoch stars are looked for at the epoch of each catalog. Exit status: 0 done,
2 cannot be done; what is wrong and how to mend it is said in one line."""

SMALL_RADIUS_ARCSEC = 60.0
MOST_RADIUS_ARCSEC = 36_000.0
SLICE_ROWS = 50_000
WIDE_SLICE_ROWS = 1_000
"""So few rows at a time where a row may have thousands of matches."""


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "WARNING")
    parser = _parser(settings)
    asked = parser.parse_args(argv)
    wrong = _wrong_options(asked)
    if wrong:
        parser.error(wrong)
    screen = Console(stderr=True)
    try:
        _run(asked, settings, screen)
    except UnusableFileError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Who read our output has seen enough; nothing more may be written at exit either.
        sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: PTH123, SIM115
    return 0


def _run(asked: argparse.Namespace, settings: XmatchSettings, screen: Console) -> None:
    table = open_table(asked.file)
    if asked.output is not None and asked.output.resolve() == asked.file.resolve():
        raise UnusableFileError(f"{asked.output} is the input; give the output another name")
    options = MatchOptions(asked.radius_arcsec, asked.nearest)
    account = Account(asked.file, screen)
    with ResultFile(asked.output) as result:
        catalogs = _catalogs(asked.catalogs, settings, screen)
        convert = _converter(table, result.format, screen)
        columns: PositionColumns | None = None
        waiting: list[pa.Table] = []
        with _progress(screen) as progress:
            task = progress.add_task("matching", total=table.rows)
            for piece in _slices(table, options):
                with account.naming_the_file():
                    if columns is None:
                        columns = _columns(asked, piece)
                        account.renamed(added_names(piece.column_names))
                    queries, bad = queries_of(piece, columns)
                    joined, matched = join_piece(convert(piece), queries, catalogs, options)
                    account.add(piece.num_rows, matched, joined.num_rows, bad)
                    waiting.append(joined)
                    # Nothing is written before a row has a position: the columns may be wrong.
                    while waiting and account.has_positions:
                        result.write(waiting.pop(0))
                progress.update(task, completed=account.rows)
        if columns is None:
            raise UnusableFileError(f"{asked.file} holds no rows")
        account.check()
    account.close(table.left_out, [catalog.name for catalog in catalogs])


def _columns(asked: argparse.Namespace, piece: pa.Table) -> PositionColumns:
    return find_columns(piece.column_names, asked.ra, asked.dec, asked.mjd, asked.epoch)


def _slices(table: UserTable, options: MatchOptions) -> Iterator[pa.Table]:
    """The table in pieces small enough for what may be found in them."""
    wide = options.radius_arcsec is not None and options.radius_arcsec > SMALL_RADIUS_ARCSEC
    rows = WIDE_SLICE_ROWS if wide else SLICE_ROWS
    for piece in table.pieces():
        for first in range(0, max(1, piece.num_rows), rows):
            yield piece.slice(first, rows)


def _converter(
    table: UserTable, written_as: str, screen: Console
) -> Callable[[pa.Table], pa.Table]:
    """Text stays as it is in CSV, character by character; other formats have types."""
    if table.format != "text" or written_as == "csv":
        return lambda piece: piece
    with screen.status("reading the file once to see which columns are numbers"):
        types = column_types(table)
    return lambda piece: typed(piece, types)


def _catalogs(wanted: str, settings: XmatchSettings, screen: Console) -> list[CatalogIndex]:
    """The catalogs that were asked for; of ``all``, those that are to be had.

    Raises
    ------
    UnusableFileError
        If one is not known or is not on this machine, with the command that brings it.
    """
    folder, opened = settings.catalog_folder(), []
    try:
        names = names_of(wanted, folder)
    except ValueError as error:
        raise UnusableFileError(str(error)) from error
    by_name = {part.strip() for part in wanted.split(",")}
    with screen.status("opening catalogs (the first time takes seconds)"):
        for name in names:
            try:
                opened.append(open_named(name, folder))
            except CatalogUnavailableError as error:
                if name in by_name:
                    raise UnusableFileError(f"catalog {name}: {error}") from error
    if not opened:
        raise UnusableFileError(f"name catalogs with --catalogs: {', '.join(CATALOGS)}")
    return opened


def _progress(screen: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )


def _wrong_options(asked: argparse.Namespace) -> str | None:
    """What is wrong with the options, if anything."""
    if (asked.ra is None) != (asked.dec is None):
        return "give --ra and --dec together"
    if asked.mjd is not None and asked.epoch is not None:
        return "give --mjd or --epoch, not both"
    radius = asked.radius_arcsec
    if radius is not None and not 0.0 < radius <= MOST_RADIUS_ARCSEC:
        return f"--radius-arcsec is above 0 and at most {MOST_RADIUS_ARCSEC:.0f}"
    if asked.epoch is not None and not 1700.0 <= asked.epoch <= 2300.0:
        return "--epoch is a year between 1700 and 2300, such as 2015.5"
    return None


def _parser(settings: XmatchSettings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin crossmatch",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="table of positions; its format is recognised")
    add("--catalogs", default=settings.xmatch_catalogs, metavar="NAMES",
        help="separated by commas, or all; default %(default)s")  # fmt: skip
    add("--radius-arcsec", type=float, metavar="ARCSEC",
        help="match within exactly this, in place of every catalog's own radius (default: 1.5 for "
        "stars, the semi-major axis for galaxies, error ellipses)")  # fmt: skip
    add("--ra", metavar="COL", help="column of right ascension, ICRS, degrees")
    add("--dec", metavar="COL", help="column of declination, ICRS, degrees")
    add("--mjd", metavar="COL", help="column of Modified Julian Dates: stars are looked for where "
        "they were then")  # fmt: skip
    add("--epoch", type=float, metavar="YEAR", help="the same, one Julian year for all rows")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every match (the default)")
    which.add_argument("--nearest", action="store_true", help="the nearest of each catalog only")
    add("-o", "--output", type=Path, metavar="OUT",
        help="write .csv, .parquet, .fits or .vot; without it CSV goes to the screen")  # fmt: skip
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
