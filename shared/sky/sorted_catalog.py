"""Sorts positions for ``cone_search``: layers of like reach, cells of order 29, bucket tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.sky.catalog_layers import (
    Ellipse,
    LayerRows,
    SkyRows,
    is_flat,
    is_moving,
    sorted_layers,
)
from shared.sky.cone_search import SortedCatalog
from shared.sky.healpix import DEEPEST_ORDER
from shared.sky.proper_motion import ProperMotion

DEEPEST_BUCKETS = 9
"""Order of the finest bucket table, 25 MB, which leaves 32 rows per bucket of 100 million."""


@dataclass(slots=True)
class Layer:
    """What ``SortedCatalog`` must know of a layer, gathered from any number of its pieces."""

    number: int
    rows: int = 0
    reach_rad: float = 0.0
    """Largest reach."""
    motion_rad_yr: float = 0.0
    """Fastest proper motion."""
    years_late: float = 0.0
    """Farthest epoch of a row of its own from the catalog's, years."""

    def add(self, piece: LayerRows) -> None:
        """Count one piece in."""
        self.rows += len(piece.taken)
        self.reach_rad = max(self.reach_rad, float(piece.reach_rad.max()))
        if len(piece.motion):
            speed = np.sqrt((piece.motion[:, :3].astype(np.float64) ** 2).sum(axis=1)).max()
            # The columns are float32: a part in ten million more makes up for their rounding.
            self.motion_rad_yr = max(self.motion_rad_yr, float(speed) * (1.0 + 1e-7))
            late = float(np.abs(piece.motion[:, 3]).max())
            self.years_late = max(self.years_late, late)


def _bucket_order(rows: int) -> int:
    """Order at which a bucket holds about two rows."""
    order = 0
    while order < DEEPEST_BUCKETS and 24 << (2 * order) < rows:
        order += 1
    return order


def bucket_tables(
    cells29: npt.NDArray[np.int64], layer_rows: Sequence[int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """``bucket_orders`` and ``bucket_start`` of rows that are sorted by layer, then by cell.

    Parameters
    ----------
    cells29
        The sorted cells, shape (m,); may be a memory map.
    layer_rows
        Rows in each layer that has any; together m.
    """
    orders, starts, first = [], [], 0
    for rows in layer_rows:
        order = _bucket_order(rows)
        edges = np.arange(12 * 4**order + 1) << (2 * (DEEPEST_ORDER - order))
        orders.append(order)
        starts.append(first + np.searchsorted(cells29[first : first + rows], edges))
        first += rows
    return np.array(orders, np.int64), np.concatenate([*starts, np.empty(0, np.int64)])


def _starts(rows: list[int]) -> npt.NDArray[np.int64]:
    """Where each layer's rows start in a column that holds only some layers'; -1 for none."""
    before = itertools.accumulate(rows, initial=0)
    return np.array([s if r else -1 for r, s in zip(rows, before, strict=False)], np.int64)


def layer_tables(
    layers: Sequence[Layer], cells29: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """The columns of ``SortedCatalog`` that are about layers, by name.

    Parameters
    ----------
    layers
        Those that have rows, by number.
    cells29
        The sorted cells, shape (m,); may be a memory map.
    """
    bucket_orders, bucket_start = bucket_tables(cells29, [layer.rows for layer in layers])
    motions = [(layer.motion_rad_yr, layer.years_late) for layer in layers]
    return {
        "layer_reach_rad": np.array([layer.reach_rad for layer in layers], np.float64),
        "layer_motion": np.array(motions, np.float64).reshape(-1, 2),
        "layer_motion_start": _starts([y.rows if is_moving(y.number) else 0 for y in layers]),
        "layer_ellipse_start": _starts([y.rows if is_flat(y.number) else 0 for y in layers]),
        "bucket_orders": bucket_orders,
        "bucket_start": bucket_start,
    }


def sort_catalog(
    ra_deg: npt.NDArray[np.float64],
    dec_deg: npt.NDArray[np.float64],
    reach_arcsec: float | npt.NDArray[np.float64],
    *,
    motion: ProperMotion | None = None,
    ellipse: Ellipse | None = None,
) -> tuple[SortedCatalog, npt.NDArray[np.int64]]:
    """Sort catalog rows for searching, in memory; ``SortedCatalogFiles`` does it in files.

    Parameters
    ----------
    ra_deg, dec_deg
        ICRS, degrees, shape (m,).
    reach_arcsec
        How far a query may be from a row: one number for all, or shape (m,), positive. The
        semi-major axis of a row with an ellipse.
    motion
        Proper motions; None if nothing moves.
    ellipse
        Shapes of the reaches; None if all are circles.

    Returns
    -------
    The sorted catalog, and for each of its rows the row it had in the input.

    Raises
    ------
    ValueError
        If a position is not on the sphere, a reach is not positive, an axis ratio is not above
        0, or a motion is faster than any star's.
    """
    rows = SkyRows(ra_deg, dec_deg, reach_arcsec, motion, ellipse)
    pieces = sorted_layers(rows)
    layers = [Layer(piece.layer) for piece in pieces]
    for layer, piece in zip(layers, pieces, strict=True):
        layer.add(piece)

    def joined(column: str, empty: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([empty, *(getattr(piece, column) for piece in pieces)])

    cells29 = joined("cells29", np.empty(0, np.int64))
    each_its_own = np.ndim(reach_arcsec) or not pieces
    catalog = SortedCatalog(
        cells29=cells29,
        vectors=joined("vectors", np.empty((0, 3))),
        reach_rad=joined("reach_rad", np.empty(0)) if each_its_own else pieces[0].reach_rad,
        motion=joined("motion", np.empty((0, 4), np.float32)),
        ellipse=joined("ellipse", np.empty((0, 4), np.float32)),
        epoch_year=np.array([np.nan if motion is None else motion.epoch_year]),
        **layer_tables(layers, cells29),
    )
    return catalog, joined("taken", np.empty(0, np.int64))
