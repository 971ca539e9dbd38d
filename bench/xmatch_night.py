"""The 849 real alerts of one night of ZTF, and what the catalogs say of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from services.xmatch.catalog_index import CatalogIndex
from shared.sky.cone_search import Queries, cone_search

NIGHT = "ztf/night_20240115_849_no_cutouts.parquet"
RADIUS_ARCSEC = 1.5
PLANTED = (
    (189.8481, -37.5295),
    (191.1, -31.54),
    (191.8481, -35.5295),
    (192.8481, -34.5295),
    (193.1, -29.54),
    (194.1, -28.54),
)
"""Places that were written over true ones, eight alerts each, for a test of gamma-ray bursts."""


def positions(path: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """True positions of the night's alerts, ICRS, degrees: those planted are left out."""
    candidates = pq.read_table(path, columns=["candidate"])["candidate"].combine_chunks()
    ra, dec = (candidates.field(name).to_numpy() for name in ("ra", "dec"))
    planted = [(np.abs(ra - r) < 1e-4) & (np.abs(dec - d) < 1e-4) for r, d in PLANTED]
    true = ~np.any(planted, axis=0)
    return ra[true], dec[true]


def classes_of_the_night(path: Path, catalog: CatalogIndex) -> dict[str, int]:
    """How many alerts have each class within 1.5 arcsec (the nearest source's), and none."""
    ra, dec = positions(path)
    found = cone_search(catalog.positions, Queries.at(ra, dec), radius_arcsec=RADIUS_ARCSEC, most=1)
    classes = catalog.sources.take(found.row).field("source_class").to_pylist()
    counts = Counter("no class" if kind is None else kind for kind in classes)
    return {**dict(counts.most_common()), "no match": len(ra) - len(classes)}
