"""3HSP: blazars whose synchrotron emission peaks beyond 1e15 Hz, the brightest at TeV energies.

Release: the table in fink-science 7.4.0, 2,013 sources, as of its VizieR edition J/A+A/632/A77.
Reference: Chang et al. 2019, A&A 632, A77, doi:10.1051/0004-6361/201834526.
Radius: 3 arcsec. Positions are of the optical or infrared counterpart, good to an arcsecond; a
blazar's alert comes from its nucleus. (Fink takes 60, which finds unrelated neighbours.)
Epoch: J2000; quasars do not move.
``source_class`` is null: all are high-synchrotron-peaked blazars or candidates of it. The table
here has no redshifts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from services.xmatch.catalogs.base import (
    Catalog,
    CatalogRows,
    CatalogUnavailableError,
    PackageFile,
)
from services.xmatch.catalogs.fields import Fields
from services.xmatch.catalogs.fink_variables import INSTALL

RADIUS_ARCSEC = 3.0


def tables(path: Path) -> Iterator[pa.Table]:
    """Read ``3hsp.csv``, which has blanks around its commas and before its quotes."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, skipinitialspace=True)
            header = [name.strip() for name in next(reader, [])]
            lines = [line for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    if "3HSP Source name" not in header:
        raise CatalogUnavailableError(f"{path} is not a table of 3HSP; run: {INSTALL}")
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            raise CatalogUnavailableError(
                f"{path} row {number}: {len(line)} columns, not {len(header)}; run: {INSTALL}"
            )
    columns = zip(*lines, strict=True) if lines else [() for _ in header]
    words = [[word.strip() for word in column] for column in columns]
    yield pa.table([pa.array(column, pa.string()) for column in words], names=header)


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``3hsp.csv``."""
    fields = Fields(table)
    names = fields.words("3HSP Source name")
    return CatalogRows(
        ra_deg=fields.angles("R.A.", hours=True),
        dec_deg=fields.angles("Dec", hours=False),
        reach_arcsec=RADIUS_ARCSEC,
        source_id=names,
        source_class=pa.nulls(len(names), pa.string()),
    )


THREE_HSP = Catalog(
    name="three_hsp",
    title="3HSP, high-synchrotron-peaked blazars",
    kind="agn",
    reference="Chang et al. 2019, A&A 632, A77, doi:10.1051/0004-6361/201834526",
    licence="Free for research with citation; the file is part of fink-science (Apache-2.0)",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2000.0,
    magnitude_band=None,
    package=PackageFile("fink-science", ("fink_science/data/catalogs/3hsp.csv",), INSTALL),
    mend=INSTALL,
    rows=rows,
    tables=tables,
    made_of={
        "ra_deg": "`R.A.`, hours, minutes, seconds",
        "dec_deg": "`Dec`, degrees, minutes, seconds",
        "source_id": "`3HSP Source name`",
    },
)
