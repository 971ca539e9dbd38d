"""``tocsin catalogs import``: a catalog's files become a version that workers serve."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from dataclasses import asdict
from pathlib import Path

from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.catalogs.own import KINDS, OwnList, own_catalog
from services.xmatch.catalogs.packaged import packaged_file
from services.xmatch.commands.screen import GOOD, Bars, parser, refuse
from services.xmatch.settings import XmatchSettings
from services.xmatch.store.importing import Order, import_catalog
from services.xmatch.store.versions import Imported, NoSuchCatalogError, check_name, imported
from shared.telemetry.logs import configure_logs

DESCRIPTION = """\
Import a catalog: from FITS, Parquet, CSV (also .gz, .zip), VOTable or a HATS directory, into a
directory in HATS layout (which lsdb and hats read without us) and the index that xmatch maps.

A registered catalog (tocsin catalogs list) knows its columns; without a FILE that of its Python
package is taken. Any other name is a list of your own: say which columns are what.
Workers that run take the new version up within seconds."""

EXAMPLES = """\
examples:
  tocsin catalogs import vsx                                   the package's file
  tocsin catalogs import gaia_dr3 GaiaSource_*.csv.gz --release DR3
  tocsin catalogs import my_list --file F.csv --ra ra --dec dec --radius-arcsec 2
  tocsin catalogs import my_galaxies G.fits --radius-arcsec 3 --kind galaxies --id name \\
      --column redshift=z --column major_axis_arcsec=diameter"""

SHELL_LETTERS = re.compile(r"[^A-Za-z0-9._+-]+")


def _parser() -> argparse.ArgumentParser:
    made = parser("import", DESCRIPTION, EXAMPLES)
    add = made.add_argument
    add("name", metavar="NAME", help="a registered catalog, or a name for your own list")
    add("files", nargs="*", type=Path, metavar="FILE", help="the catalog's files, or directories")
    add("--file", action="append", type=Path, default=[], metavar="FILE", help="the same")
    add("--release", metavar="TEXT", help="release of the catalog, part of the version's name; "
        "default: the package's, or today's date")  # fmt: skip
    add("--again", action="store_true", help="also if the very same files are imported already")
    own = made.add_argument_group("a list of your own")
    add = own.add_argument
    add("--radius-arcsec", type=float, metavar="ARCSEC", help="how far an alert may be")
    add("--ra", metavar="COL", help="right ascension: degrees, or hours with colons [ra]")
    add("--dec", metavar="COL", help="declination: degrees [dec]")
    add("--id", metavar="COL", help="name of the source [made of the position]")
    add("--class", dest="source_class", metavar="COL", help="class of the source")
    add("--column", action="append", default=[], metavar="STANDARD=COL",
        help="another standard column, e.g. redshift=z, pm_ra_masyr=pmra, g_mag=gmag")  # fmt: skip
    add("--kind", choices=KINDS, help="what it is a list of [sources]")
    add("--epoch-year", type=float, metavar="YEAR", help="epoch of the positions [2000]")
    add("--title", metavar="TEXT")
    add("--reference", metavar="TEXT", help="paper to cite")
    add("--licence", metavar="TEXT")
    return made


def main(argv: list[str] | None = None) -> int:
    """Run the verb."""
    settings = XmatchSettings()
    configure_logs("xmatch", "WARNING")
    asked = _parser().parse_intermixed_args(argv)
    folder = settings.catalog_folder()
    try:
        order = _order(asked, folder)
        with Bars() as bars:
            one = import_catalog(order, folder, bars)
    except (CatalogUnavailableError, NoSuchCatalogError, OSError) as error:
        return refuse(error)
    _tell(one)
    return GOOD


def _order(asked: argparse.Namespace, folder: Path) -> Order:
    """What is to be imported."""
    check_name(asked.name)
    files = [*asked.files, *asked.file]
    today = dt.datetime.now(dt.UTC).strftime("%Y%m%d")
    if asked.name in CATALOGS:
        if _own_options(asked):
            raise CatalogUnavailableError(
                f"{asked.name} is registered and knows its columns; leave out "
                f"{', '.join(_own_options(asked))}, or take another name for your own list"
            )
        catalog = CATALOGS[asked.name]
        if files:
            return Order(catalog, files, asked.release or today, again=asked.again)
        source = packaged_file(catalog)
        release = asked.release or SHELL_LETTERS.sub("-", source.release)
        return Order(catalog, source.paths, release, again=asked.again)
    own = _own_list(asked, folder)
    if not files:
        raise CatalogUnavailableError(f"{asked.name} is not registered: give its FILE")
    catalog = own_catalog(asked.name, own)
    return Order(catalog, files, asked.release or today, asdict(own), asked.again)


def _own_options(asked: argparse.Namespace) -> list[str]:
    """The options for lists of one's own that were given."""
    given = {
        "--radius-arcsec": asked.radius_arcsec, "--ra": asked.ra, "--dec": asked.dec,
        "--id": asked.id, "--class": asked.source_class, "--column": asked.column or None,
        "--kind": asked.kind, "--epoch-year": asked.epoch_year,
    }  # fmt: skip
    return [option for option, value in given.items() if value is not None]


def _own_list(asked: argparse.Namespace, folder: Path) -> OwnList:
    """What is said of the list now, and what was said at its last import."""
    before = [one.manifest()["definition"] for one in imported(folder, asked.name)]
    known = dict(before[-1]) if before and before[-1] else {}
    said = {
        "radius_arcsec": asked.radius_arcsec, "ra": asked.ra, "dec": asked.dec,
        "source_id": asked.id, "source_class": asked.source_class, "kind": asked.kind,
        "title": asked.title, "reference": asked.reference, "licence": asked.licence,
        "epoch_year": asked.epoch_year, "columns": _columns(asked.column) or None,
    }  # fmt: skip
    known.update({name: value for name, value in said.items() if value is not None})
    if "radius_arcsec" not in known:
        near = ", ".join(CATALOGS)
        raise CatalogUnavailableError(
            f"{asked.name} is not registered (there are {near}); a list of your own needs "
            "--radius-arcsec"
        )
    return OwnList(**known)


def _columns(pairs: list[str]) -> dict[str, str]:
    columns = {}
    for pair in pairs:
        standard, equals, name = pair.partition("=")
        if not (standard and equals and name):
            raise CatalogUnavailableError(f"--column {pair}: write STANDARD=COL, e.g. redshift=z")
        columns[standard.strip()] = name.strip()
    return columns


def _tell(one: Imported) -> None:
    """Say what came of it."""
    about = one.manifest()
    lines = [f"{one.name}@{one.version}: {about['rows']:,} rows in {one.folder}"]
    if about["bad_rows"]:
        lines.append(
            f"{about['bad_rows']:,} bad rows (no position on the sky) left out, the first:"
        )
        lines += [f"  {row}" for row in about["first_bad_rows"]]
    lines += [f"left out on purpose: {n:,} {why}" for why, n in about["left_out"].items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
