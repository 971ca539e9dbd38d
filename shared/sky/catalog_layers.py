"""Parts the rows of a catalog into layers of like reach and motion, each sorted by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.sky.healpix import INVALID_CELL, healpix29_of
from shared.sky.proper_motion import (
    FASTEST_ARCSEC_YR,
    ProperMotion,
    east_and_north,
    motion_vectors,
)
from shared.sky.separation import ARCSEC_PER_RADIAN, unit_vectors

LAYER_EDGES_ARCSEC = np.array([120.0, 1_200.0])
"""Reaches that part the layers; one huge galaxy must not widen the cone of ten thousand small."""

LAYER_EDGES_ARCSEC_YR = np.array([0.0, 0.04])
"""Proper motions that part the layers: what stands still; what moves at most an arcsecond in 25
years; the rest, one star in five hundred, too few to be in the way of a wide cone."""

_REACHES = len(LAYER_EDGES_ARCSEC) + 1


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Reaches that depend on the direction: error ellipses, galaxies seen from the side.

    The row's reach is the semi-major axis. A row with NaN is a circle.
    """

    axis_ratio: npt.NDArray[np.float64]
    """Minor over major axis, above 0, shape (m,); 1 and more is a circle."""
    position_angle_deg: npt.NDArray[np.float64]
    """Of the major axis, north through east, degrees, shape (m,)."""

    def rows(self, keep: npt.NDArray[np.int64]) -> Ellipse:
        """The ellipses of some rows, by number."""
        return Ellipse(self.axis_ratio[keep], self.position_angle_deg[keep])

    def is_flat(self) -> npt.NDArray[np.bool_]:
        """Which rows are not circles, shape (m,)."""
        known = np.isfinite(self.axis_ratio) & np.isfinite(self.position_angle_deg)
        flat: npt.NDArray[np.bool_] = known & (np.asarray(self.axis_ratio) < 1.0)
        return flat


@dataclass(frozen=True, slots=True)
class SkyRows:
    """Rows of a catalog, in any order, as far as searching needs them."""

    ra_deg: npt.NDArray[np.float64]
    """ICRS, degrees, shape (m,)."""
    dec_deg: npt.NDArray[np.float64]
    reach_arcsec: float | npt.NDArray[np.float64]
    """How far a query may be from a row: one number for all, or shape (m,), positive."""
    motion: ProperMotion | None = None
    ellipse: Ellipse | None = None


@dataclass(frozen=True, slots=True)
class LayerRows:
    """The rows of one layer, sorted by cell: pieces of ``SortedCatalog``'s columns."""

    layer: int
    """Layers follow one another by this number."""
    taken: npt.NDArray[np.int64]
    """The row each had in the input, shape (n,)."""
    cells29: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float64]
    reach_rad: npt.NDArray[np.float64]
    """Shape (n,), or (1,) if one reach holds for all rows of the catalog."""
    motion: npt.NDArray[np.float32]
    """Shape (n, 4), or (0, 4) in a layer that stands still."""
    ellipse: npt.NDArray[np.float32]
    """Shape (n, 4), or (0, 4) in a layer of circles."""


def layers_of(rows: SkyRows) -> npt.NDArray[np.int64]:
    """Number of the layer of each row, shape (m,); 0 if all reach alike and stand still.

    Raises
    ------
    ValueError
        If a reach is not positive, an axis ratio not above 0 or a motion beyond belief.
    """
    reach = np.atleast_1d(np.asarray(rows.reach_arcsec, dtype=np.float64))
    if not (reach > 0).all():
        raise ValueError("every reach must be a positive number of arcseconds")
    layer = np.zeros(len(rows.ra_deg), np.int64)
    if np.ndim(rows.reach_arcsec):
        layer += np.searchsorted(LAYER_EDGES_ARCSEC, reach)
    if rows.ellipse is not None:
        if (np.asarray(rows.ellipse.axis_ratio) <= 0).any():
            raise ValueError("every axis ratio must be above 0, or NaN for a circle")
        layer += _REACHES * rows.ellipse.is_flat()
    if rows.motion is not None:
        arcsec_yr = rows.motion.speed_rad_yr() * ARCSEC_PER_RADIAN
        if (arcsec_yr > FASTEST_ARCSEC_YR).any():
            row = int(np.argmax(arcsec_yr))
            raise ValueError(f"row {row} moves {arcsec_yr[row]:.1f} arcsec a year; is it in mas?")
        layer += 2 * _REACHES * np.searchsorted(LAYER_EDGES_ARCSEC_YR, arcsec_yr)
    return layer


def is_moving(layer: int) -> bool:
    """Whether the rows of a layer of ``layers_of`` move."""
    return layer >= 2 * _REACHES


def is_flat(layer: int) -> bool:
    """Whether the rows of a layer of ``layers_of`` are ellipses."""
    return layer // _REACHES % 2 == 1


def sorted_layers(rows: SkyRows) -> list[LayerRows]:
    """Sort rows for searching.

    Raises
    ------
    ValueError
        If a position is not on the sphere, or as ``layers_of`` says.
    """
    cells = healpix29_of(rows.ra_deg, rows.dec_deg)
    if (cells == INVALID_CELL).any():
        row = int(np.argmax(cells == INVALID_CELL))
        ra, dec = rows.ra_deg[row], rows.dec_deg[row]
        raise ValueError(f"row {row} is not on the sphere: RA {ra}, Dec {dec}")
    layer = layers_of(rows)
    order = np.lexsort((cells, layer)) if layer.any() else np.argsort(cells, kind="stable")
    sizes = np.bincount(layer)
    ends = np.cumsum(sizes)
    return [
        _layer_rows(rows, int(number), order[ends[number] - sizes[number] : ends[number]], cells)
        for number in np.flatnonzero(sizes)
    ]


def _layer_rows(
    rows: SkyRows, layer: int, taken: npt.NDArray[np.int64], cells: npt.NDArray[np.int64]
) -> LayerRows:
    ra, dec = rows.ra_deg[taken], rows.dec_deg[taken]
    reach = np.atleast_1d(np.asarray(rows.reach_arcsec, dtype=np.float64))
    motion = ellipse = np.empty((0, 4), np.float32)
    if rows.motion is not None and is_moving(layer):
        own = rows.motion.rows(taken)
        motion = np.column_stack([motion_vectors(ra, dec, own), own.years_late()])
    if rows.ellipse is not None and is_flat(layer):
        shape = rows.ellipse.rows(taken)
        east, north = east_and_north(ra, dec)
        angle = np.radians(shape.position_angle_deg)[:, None]
        along = np.sin(angle) * east + np.cos(angle) * north
        ellipse = np.column_stack([along, shape.axis_ratio])
    return LayerRows(
        layer,
        taken,
        cells[taken],
        unit_vectors(ra, dec),
        (reach[taken] if np.ndim(rows.reach_arcsec) else reach) / ARCSEC_PER_RADIAN,
        motion.astype(np.float32),
        ellipse.astype(np.float32),
    )
