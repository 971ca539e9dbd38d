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
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.catalogs.base import Catalog, CatalogRows, CatalogUnavailableError

RADIUS_ARCSEC = 5.0
ARCSEC_PER_ARCMIN = 60.0
INSTALL = "pip install PyOngc"

_QUERY = """
SELECT o.ra, o.dec, o.name, t.typedesc, o.redshift, o.bmag, o.majax
FROM objects AS o LEFT JOIN objTypes AS t ON t.type = o.type
WHERE o.type NOT IN ('Dup', 'NonEx') ORDER BY o.id
"""
_LEFT_OUT = "SELECT type, count(*) FROM objects WHERE type IN ('Dup', 'NonEx') GROUP BY type"


def _floats(values: tuple[Any, ...]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def read(path: Path) -> CatalogRows:
    """Read ``ongc.db``, whose positions are in radians and axes in arcminutes."""
    try:
        # Immutable: no lock or journal is written beside an installed package's file.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as base:
            rows = base.execute(_QUERY).fetchall()
            left_out = dict(base.execute(_LEFT_OUT).fetchall())
    except sqlite3.Error as error:
        raise CatalogUnavailableError(f"{path}: {error}; run: {INSTALL}") from error
    ra, dec, name, kind, redshift, b_mag, major_arcmin = zip(*rows, strict=True)
    major_arcsec = _floats(major_arcmin) * ARCSEC_PER_ARCMIN
    return CatalogRows(
        ra_deg=np.degrees(_floats(ra)),
        dec_deg=np.degrees(_floats(dec)),
        reach_arcsec=np.fmax(0.5 * major_arcsec, RADIUS_ARCSEC),
        source_id=pa.array(name, pa.string()),
        source_class=pa.array(kind, pa.string()),
        redshift=pa.array(redshift, pa.float32()),
        magnitude=pa.array(b_mag, pa.float32()),
        major_axis_arcsec=pa.array(major_arcsec.astype(np.float32), from_pandas=True),
        left_out=left_out,
    )


OPENNGC = Catalog(
    name="openngc",
    title="OpenNGC, the corrected New General Catalogue and Index Catalogues",
    reference="M. Verga, OpenNGC, https://github.com/mattiaverga/OpenNGC",
    licence="CC-BY-SA-4.0",
    radius_arcsec=RADIUS_ARCSEC,
    epoch_year=2000.0,
    magnitude_band="B",
    distribution="PyOngc",
    member="pyongc/ongc.db",
    mend=INSTALL,
    read=read,
)
