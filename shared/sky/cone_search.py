"""Exact cone search of a batch of positions in a catalog sorted by HEALPix cell.

Rows lie in layers of like reach (a point source is matched within arcseconds, a nearby galaxy
within a degree), each layer sorted by cell of order 29. A query looks at the cell that holds
it, at an order where cells are some thirty times wider than the reach, and at neighbours only
if the cone can cross into them; what it finds there is decided by great-circle distance.
The columns may be memory maps of any size: a query touches a few pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.sky.cone_kernel import search
from shared.sky.healpix import healpix29_of
from shared.sky.separation import ARCSEC_PER_RADIAN, unit_vectors


@dataclass(frozen=True, slots=True)
class SortedCatalog:
    """Positions ready to be searched; made by ``sort_catalog`` or mapped from files.

    Row order is by layer, then by cell. ``bucket_start`` holds, layer after layer, the first row
    of every cell of ``bucket_orders[layer]``, and one number past the end.
    """

    cells29: npt.NDArray[np.int64]
    """Nested cells of order 29, shape (m,)."""
    vectors: npt.NDArray[np.float64]
    """ICRS unit vectors, shape (m, 3)."""
    reach_rad: npt.NDArray[np.float64]
    """How far a query may be from each row, radians: shape (m,), or (1,) if all are alike."""
    layer_reach_rad: npt.NDArray[np.float64]
    """Largest reach in each layer, shape (k,)."""
    bucket_orders: npt.NDArray[np.int64]
    """Order of each layer's bucket table, shape (k,)."""
    bucket_start: npt.NDArray[np.int64]
    """The bucket tables, one after the other."""

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

    @classmethod
    def at(cls, ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> Queries:
        """Queries at ICRS positions in degrees, shape (n,)."""
        return cls(healpix29_of(ra_deg, dec_deg), unit_vectors(ra_deg, dec_deg))


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
    most: int = 0,
) -> ConeMatches:
    """Find the catalog rows around positions.

    A row matches a position if their great-circle distance is at most the row's own reach, or
    ``least_radius_arcsec`` where that is larger. Right at the poles and across RA 0.

    Parameters
    ----------
    catalog
        The sorted rows.
    queries
        Positions; one that is not on the sphere matches nothing.
    least_radius_arcsec
        Radius that every row has at least, arcseconds.
    most
        Keep only so many rows for each position, the nearest; 0 keeps all.
    """
    found, rows, separations = search(
        queries.cells29,
        queries.vectors,
        catalog.cells29,
        catalog.vectors,
        catalog.reach_rad,
        catalog.layer_reach_rad,
        catalog.bucket_orders,
        catalog.bucket_start,
        least_radius_arcsec / ARCSEC_PER_RADIAN,
        most,
    )
    return ConeMatches(found, rows, separations * ARCSEC_PER_RADIAN)
