"""OpenNGC: nearby galaxies with their sizes, clusters, nebulae: the NGC and IC, corrected.

Release: the SQLite file in PyOngc 1.2.2, 14,033 rows, of which 652 duplicates and 10 objects
that do not exist are left out.
Reference: M. Verga, OpenNGC, https://github.com/mattiaverga/OpenNGC (from NED, HyperLEDA, SIMBAD
and Corwin's positions), CC-BY-SA-4.0: the file stays in its package and is not copied here.
Radius: the semi-major axis, so that an alert anywhere on a galaxy's disc finds its galaxy, and
at least 5 arcsec, which is what a nucleus or a small object without axes is good for. A circle:
an alert beyond the minor axis matches too; the light radius in its direction is for the host
search to weigh.
Epoch: J2000; no proper motions are applied (stars came into the NGC by mistake, and are few).
``source_class`` is OpenNGC's description of the type (``Galaxy``, ``Planetary Nebula``),
``magnitude`` is total B.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import (
    Catalog,
    CatalogRows,
    CatalogUnavailableError,
    PackageFile,
)

RADIUS_ARCSEC = 5.0
ARCSEC_PER_ARCMIN = 60.0
INSTALL = "pip install PyOngc"

_QUERY = """
SELECT o.ra, o.dec, o.name, o.type, t.typedesc, o.redshift, o.bmag, o.majax, o.minax, o.pa
FROM objects AS o LEFT JOIN objTypes AS t ON t.type = o.type ORDER BY o.id
"""
_FLOAT = pa.float64()
_SCHEMA = pa.schema(
    {"ra": _FLOAT, "dec": _FLOAT, "name": pa.string(), "type": pa.string(),
     "typedesc": pa.string(), "redshift": _FLOAT, "bmag": _FLOAT, "majax": _FLOAT,
     "minax": _FLOAT, "pa": _FLOAT}
)  # fmt: skip
LEFT_OUT = pa.array(["Dup", "NonEx"])


def tables(path: Path) -> Iterator[pa.Table]:
    """Read ``ongc.db``, whose positions are in radians and axes in arcminutes."""
    try:
        # Immutable: no lock or journal is written beside an installed package's file.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as base:
            found = base.execute(_QUERY).fetchall()
    except sqlite3.Error as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    columns = zip(*found, strict=True) if found else [() for _ in _SCHEMA]
    yield pa.table([pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)],
                   schema=_SCHEMA)  # fmt: skip


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    column = table.column(name).to_numpy()
    return np.asarray(column, dtype=np.float64)


def rows(table: pa.Table) -> CatalogRows:
    """Rows of ``ongc.db`` without those that are duplicates or do not exist."""
    unwanted = pc.is_in(table.column("type"), LEFT_OUT)
    counts = table.column("type").filter(unwanted).value_counts()
    kept = table.filter(pc.invert(unwanted))
    major_arcsec = _numbers(kept, "majax") * ARCSEC_PER_ARCMIN
    return CatalogRows(
        ra_deg=np.degrees(_numbers(kept, "ra")),
        dec_deg=np.degrees(_numbers(kept, "dec")),
        reach_arcsec=np.fmax(0.5 * major_arcsec, RADIUS_ARCSEC),
        source_id=kept.column("name").combine_chunks(),
        source_class=kept.column("typedesc").combine_chunks(),
        redshift=_numbers(kept, "redshift"),
        magnitude=_numbers(kept, "bmag"),
        major_axis_arcsec=major_arcsec,
        minor_axis_arcsec=_numbers(kept, "minax") * ARCSEC_PER_ARCMIN,
        position_angle_deg=_numbers(kept, "pa") % 180.0,
        left_out={count["values"].as_py(): count["counts"].as_py() for count in counts},
        file_row=np.flatnonzero(~unwanted.to_numpy()),
    )


OPENNGC = Catalog(
    name="openngc",
    title="OpenNGC, the corrected New General Catalogue and Index Catalogues",
    kind="galaxies",
    reference="M. Verga, OpenNGC, https://github.com/mattiaverga/OpenNGC",
    licence="CC-BY-SA-4.0",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2000.0,
    magnitude_band="B",
    package=PackageFile("PyOngc", ("pyongc/ongc.db",), INSTALL),
    mend=INSTALL,
    rows=rows,
    tables=tables,
    has_hosts=True,
    redshift_kind="spec",
)
