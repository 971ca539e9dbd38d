"""Exact cone search of a batch of positions in a catalog sorted by HEALPix cell.

Rows lie in layers of like reach and like proper motion (a point source is matched within
arcseconds, a nearby galaxy within a degree; Barnard's star crosses four arcminutes in 25 years),
each layer sorted by cell of order 29. A query looks at the cell that holds it, at an order where
cells are some thirty times wider than the reach, and at neighbours only if the cone can cross
into them; what it finds there is decided by great-circle distance at the query's epoch.
The columns may be memory maps of any size: a query touches a few pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.sky.cone_kernel import Columns, Cone, search
from shared.sky.healpix import healpix29_of
from shared.sky.separation import ARCSEC_PER_RADIAN, unit_vectors


@dataclass(frozen=True, slots=True)
class SortedCatalog:
    """Positions ready to be searched; made by ``sort_catalog`` or mapped from files.

    Row order is by layer, then by cell. ``bucket_start`` holds, layer after layer, the first row
    of every cell of ``bucket_orders[layer]``, and one number past the end. Only rows of layers
    that move have a row in ``motion``, only those of layers of ellipses one in ``ellipse``.
    """

    cells29: npt.NDArray[np.int64]
    """Nested cells of order 29 at the epoch of the positions, shape (m,)."""
    vectors: npt.NDArray[np.float64]
    """ICRS unit vectors, shape (m, 3)."""
    reach_rad: npt.NDArray[np.float64]
    """How far a query may be from each row, along the major axis if the row is an ellipse,
    radians: shape (m,), or (1,) if all are alike."""
    motion: npt.NDArray[np.float32]
    """Proper motion, a vector in radians a Julian year, and by how many years the row's epoch
    is later than the catalog's, shape (moving, 4)."""
    ellipse: npt.NDArray[np.float32]
    """Unit vector along the major axis, and minor over major axis, shape (ellipses, 4)."""
    layer_reach_rad: npt.NDArray[np.float64]
    """Largest reach in each layer, shape (k,)."""
    layer_motion: npt.NDArray[np.float64]
    """Fastest motion in each layer, radians a year, and the farthest epoch of a row of its own,
    years, shape (k, 2)."""
    layer_motion_start: npt.NDArray[np.int64]
    """First row in ``motion`` of each layer, shape (k,); -1 if nothing in it moves."""
    layer_ellipse_start: npt.NDArray[np.int64]
    """First row in ``ellipse`` of each layer, shape (k,); -1 if all in it are circles."""
    bucket_orders: npt.NDArray[np.int64]
    """Order of each layer's bucket table, shape (k,)."""
    bucket_start: npt.NDArray[np.int64]
    """The bucket tables, one after the other."""
    epoch_year: npt.NDArray[np.float64]
    """Julian year of the positions, shape (1,); NaN if nothing moves."""

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.cells29)


@dataclass(frozen=True, slots=True)
class Queries:
    """Positions to search around, made ready once for any number of catalogs."""

    cells29: npt.NDArray[np.int64]
    """Nested cells of order 29, shape (n,); ``INVALID_CELL`` for what is not on the sphere."""
    vectors: npt.NDArray[np.float64]
    """ICRS unit vectors, shape (n, 3)."""
    epoch_year: npt.NDArray[np.float64]
    """Julian years of the positions, shape (n,); NaN where unknown."""

    @classmethod
    def at(
        cls,
        ra_deg: npt.ArrayLike,
        dec_deg: npt.ArrayLike,
        epoch_year: npt.ArrayLike = np.nan,
    ) -> Queries:
        """Queries at ICRS positions.

        Parameters
        ----------
        ra_deg, dec_deg
            Degrees, shape (n,).
        epoch_year
            When the positions were measured, Julian year (``proper_motion.julian_year`` of a
            date), one for all or shape (n,). Stars are looked for where they were then; where
            it is NaN, or centuries off, at the epoch of the catalog.
        """
        cells29 = healpix29_of(ra_deg, dec_deg)
        epoch = np.asarray(epoch_year, dtype=np.float64)
        return cls(
            cells29,
            unit_vectors(ra_deg, dec_deg),
            np.ascontiguousarray(np.broadcast_to(epoch, cells29.shape)),
        )


@dataclass(frozen=True, slots=True)
class ConeMatches:
    """Pairs of query and catalog row: queries in order, each query's rows nearest first."""

    query: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    separation_arcsec: npt.NDArray[np.float64]


def cone_search(
    catalog: SortedCatalog,
    queries: Queries,
    *,
    least_radius_arcsec: float = 0.0,
    radius_arcsec: float | None = None,
    most: int = 0,
) -> ConeMatches:
    """Find the catalog rows around positions.

    A row matches a position if their great-circle distance, at the position's epoch, is at most
    the row's own reach (an ellipse's reach in that direction), or ``least_radius_arcsec`` where
    that is larger. Right at the poles and across RA 0.

    Parameters
    ----------
    catalog
        The sorted rows.
    queries
        Positions; one that is not on the sphere matches nothing.
    least_radius_arcsec
        Radius that every row has at least, arcseconds.
    radius_arcsec
        Radius of every row, in place of its own and of the least one.
    most
        Keep only so many rows for each position, the nearest; 0 keeps all.

    Raises
    ------
    ValueError
        If a radius is negative or not a number.
    """
    radius = least_radius_arcsec if radius_arcsec is None else radius_arcsec
    if not radius >= 0.0:
        raise ValueError(f"a radius of {radius} arcsec is not zero or more")
    found, rows, separations = search(
        queries.cells29,
        queries.vectors,
        queries.epoch_year - catalog.epoch_year,
        Columns(
            catalog.cells29,
            catalog.vectors,
            catalog.reach_rad,
            catalog.motion,
            catalog.ellipse,
            catalog.layer_reach_rad,
            catalog.layer_motion,
            catalog.layer_motion_start,
            catalog.layer_ellipse_start,
            catalog.bucket_orders,
            catalog.bucket_start,
        ),
        Cone(radius / ARCSEC_PER_RADIAN, radius_arcsec is None),
        most,
    )
    return ConeMatches(found, rows, separations * ARCSEC_PER_RADIAN)
