"""Sorts positions for ``cone_search``: layers of like reach, cells of order 29, bucket tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.sky.cone_search import SortedCatalog
from shared.sky.healpix import DEEPEST_ORDER, INVALID_CELL, healpix29_of
from shared.sky.separation import ARCSEC_PER_RADIAN, unit_vectors

LAYER_EDGES_ARCSEC = np.array([120.0, 1_200.0])
"""Reaches that part the layers; one huge galaxy must not widen the cone of ten thousand small."""

DEEPEST_BUCKETS = 9
"""Order of the finest bucket table, 25 MB, which leaves 32 rows per bucket of 100 million."""


def _bucket_order(rows: int) -> int:
    """Order at which a bucket holds about two rows."""
    order = 0
    while order < DEEPEST_BUCKETS and 24 << (2 * order) < rows:
        order += 1
    return order


def sort_catalog(
    ra_deg: npt.NDArray[np.float64],
    dec_deg: npt.NDArray[np.float64],
    reach_arcsec: float | npt.NDArray[np.float64],
) -> tuple[SortedCatalog, npt.NDArray[np.int64]]:
    """Sort catalog rows for searching.

    Parameters
    ----------
    ra_deg, dec_deg
        ICRS, degrees, shape (m,).
    reach_arcsec
        How far a query may be from a row: one number for all, or shape (m,), positive.

    Returns
    -------
    The sorted catalog, and for each of its rows the row it had in the input.

    Raises
    ------
    ValueError
        If a position is not on the sphere or a reach is not positive.
    """
    cells = healpix29_of(ra_deg, dec_deg)
    if (cells == INVALID_CELL).any():
        row = int(np.argmax(cells == INVALID_CELL))
        raise ValueError(f"row {row} is not on the sphere: RA {ra_deg[row]}, Dec {dec_deg[row]}")
    reach = np.atleast_1d(np.asarray(reach_arcsec, dtype=np.float64))
    if not (reach > 0).all():
        raise ValueError("every reach must be a positive number of arcseconds")
    alike = reach.ndim == 1 and np.ndim(reach_arcsec) == 0
    layer = np.zeros(len(cells), np.int64) if alike else np.searchsorted(LAYER_EDGES_ARCSEC, reach)
    order = np.lexsort((cells, layer))
    cells, layer = cells[order], layer[order]
    reach = reach if alike else reach[order]
    reaches, bucket_orders, bucket_starts = [], [], []
    for this in np.unique(layer):
        first, last = np.searchsorted(layer, [this, this + 1])
        bucket_order = _bucket_order(int(last - first))
        edges = np.arange(12 * 4**bucket_order + 1) << (2 * (DEEPEST_ORDER - bucket_order))
        reaches.append(reach.max() if alike else reach[first:last].max())
        bucket_orders.append(bucket_order)
        bucket_starts.append(first + np.searchsorted(cells[first:last], edges))
    catalog = SortedCatalog(
        cells29=cells,
        vectors=unit_vectors(ra_deg, dec_deg)[order],
        reach_rad=reach / ARCSEC_PER_RADIAN,
        layer_reach_rad=np.array(reaches, np.float64) / ARCSEC_PER_RADIAN,
        bucket_orders=np.array(bucket_orders, np.int64),
        bucket_start=np.concatenate([*bucket_starts, np.empty(0, np.int64)]),
    )
    return catalog, order
