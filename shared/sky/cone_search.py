"""Exact cone search of a batch of positions in a catalog sorted by HEALPix cell.

Rows lie in layers of like reach (a point source is matched within arcseconds, a nearby galaxy
within a degree), each layer sorted by cell of order 29. A query looks at the cell that holds
it, at an order where cells are some thirty times wider than the reach, and at neighbours only
if the cone can cross into them; what it finds there is decided by great-circle distance.
The columns may be memory maps of any size: a query touches a few pages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shared.sky.healpix import DEEPEST_ORDER, INVALID_CELL, compress_bits, healpix29_of
from shared.sky.healpix_neighbours import cell_at
from shared.sky.separation import ARCSEC_PER_RADIAN, unit_vectors

STEEPEST = 1.5
"""Most that an in-face coordinate (in units of a base cell) can change per radian of arc.

Górski's projection: at most 1.02 in the equatorial belt; sqrt(3/2 + (sqrt(6)/pi/0.913)**2) =
1.493 at the edges of the polar caps."""

WIDEST_STEP = 0.05
"""Reach in units of the cell's side at the order that is searched: nine tenths of all queries
then stay inside one cell."""


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


@njit(cache=True, nogil=True)
def _first_at_or_after(cells29: Any, cell: int, low: int, high: int) -> int:
    while low < high:
        middle = (low + high) >> 1
        if cells29[middle] < cell:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _candidate_cells(cell29: int, order: int, step: float, out: Any) -> int:
    """Write the cells of ``order`` that a cone around ``cell29`` may touch; how many they are.

    ``step`` is the cone's radius in units of the cell's side, at most 1/2.
    """
    depth = DEEPEST_ORDER - order
    cell = cell29 >> (2 * depth)
    side = 1 << depth
    nside = 1 << order
    x29 = compress_bits(cell29) & ((1 << DEEPEST_ORDER) - 1)
    y29 = compress_bits(cell29 >> 1) & ((1 << DEEPEST_ORDER) - 1)
    # The position is somewhere in its order-29 cell: one such cell of slack on every side.
    slack = step + 1.0 / side
    x_part = (x29 & (side - 1)) / side
    y_part = (y29 & (side - 1)) / side
    west, east = x_part < slack, x_part > 1.0 - slack
    south, north = y_part < slack, y_part > 1.0 - slack
    out[0] = cell
    if not (west or east or south or north):
        return 1
    ix, iy = x29 >> depth, y29 >> depth
    inside = 0 < ix < nside - 1 and 0 < iy < nside - 1
    face = cell >> (2 * order)
    count = 1
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            if dx == 0 and dy == 0:
                continue
            # Across a face's border the grid turns: take every neighbour there.
            if inside and (
                (dx < 0 and not west)
                or (dx > 0 and not east)
                or (dy < 0 and not south)
                or (dy > 0 and not north)
            ):
                continue
            neighbour = cell_at(order, face, ix + dx, iy + dy)
            # At orders 0 and 1 a cell can be a neighbour twice.
            known = neighbour == INVALID_CELL
            for seen in range(count):
                known = known or out[seen] == neighbour
            if not known:
                out[count] = neighbour
                count += 1
    return count


@njit(cache=True, nogil=True)
def _order_for(reach_rad: float) -> int:
    """Deepest order whose cells are far wider than the reach; -1 if not even base cells are."""
    side = reach_rad * STEEPEST
    if side > 0.5:
        return -1
    order = 0
    while order < DEEPEST_ORDER - 1 and side * (1 << (order + 1)) <= WIDEST_STEP:
        order += 1
    return order


@njit(cache=True, nogil=True)
def _sort_and_cut(rows: Any, separations: Any, begin: int, end: int, most: int) -> int:
    """Sort one query's matches by separation; where they end after the cut."""
    if end - begin > 1:
        by_separation = np.argsort(separations[begin:end], kind="mergesort")
        rows[begin:end] = rows[begin:end][by_separation]
        separations[begin:end] = separations[begin:end][by_separation]
    return min(end, begin + most) if most > 0 else end


@njit(cache=True, nogil=True)
def _separation_rad(query: int, query_vectors: Any, row: int, vectors: Any, farthest: float) -> Any:
    """Distance of a query and a row; -1 if the square of the chord is more than ``farthest``."""
    ax, ay, az = query_vectors[query, 0], query_vectors[query, 1], query_vectors[query, 2]
    bx, by, bz = vectors[row, 0], vectors[row, 1], vectors[row, 2]
    chord2 = (ax - bx) ** 2 + (ay - by) ** 2 + (az - bz) ** 2
    if chord2 > farthest:
        return -1.0
    # Kahan's form: exact to the last digits from 0 to 180 degrees.
    sum2 = (ax + bx) ** 2 + (ay + by) ** 2 + (az + bz) ** 2
    return 2.0 * math.atan2(math.sqrt(chord2), math.sqrt(sum2))


@njit(cache=True, nogil=True)
def _first_row(cells29: Any, start: int, bucket_start: Any, table: int, bucket_order: int) -> int:
    """First row of a layer whose cell is at least ``start``."""
    bucket = table + (start >> (2 * (DEEPEST_ORDER - bucket_order)))
    return _first_at_or_after(cells29, start, bucket_start[bucket], bucket_start[bucket + 1])


@njit(cache=True, nogil=True)
def _search(
    query_cells: Any,
    query_vectors: Any,
    cells29: Any,
    vectors: Any,
    reach_rad: Any,
    layer_reach_rad: Any,
    bucket_orders: Any,
    bucket_start: Any,
    least_reach_rad: float,
    most: int,
) -> Any:
    queries = np.empty(16 + 2 * len(query_cells), np.int64)
    rows = np.empty_like(queries)
    separations = np.empty(len(queries), np.float64)
    candidates = np.empty(9, np.int64)
    found = 0
    for query in range(len(query_cells)):
        if query_cells[query] < 0:
            continue
        begin = found
        table = 0
        for layer in range(len(layer_reach_rad)):
            table_end = table + (12 << (2 * bucket_orders[layer]))
            reach = max(layer_reach_rad[layer], least_reach_rad)
            farthest = 4.0 * math.sin(0.5 * min(reach, math.pi)) ** 2 * (1.0 + 1e-9)
            order = _order_for(reach)
            cells = 12
            if order >= 0:
                step = reach * STEEPEST * (1 << order)
                cells = _candidate_cells(query_cells[query], order, step, candidates)
            shift = 2 * (DEEPEST_ORDER - max(order, 0))
            for index in range(cells):
                cell = candidates[index] if order >= 0 else index
                stop = (cell + 1) << shift
                row = _first_row(cells29, cell << shift, bucket_start, table, bucket_orders[layer])
                while row < bucket_start[table_end] and cells29[row] < stop:
                    separation = _separation_rad(query, query_vectors, row, vectors, farthest)
                    own = reach_rad[row] if len(reach_rad) > 1 else reach_rad[0]
                    if 0.0 <= separation <= max(own, least_reach_rad):
                        if found == len(queries):
                            queries = np.concatenate((queries, np.empty_like(queries)))
                            rows = np.concatenate((rows, np.empty_like(rows)))
                            separations = np.concatenate((separations, np.empty_like(separations)))
                        queries[found] = query
                        rows[found] = row
                        separations[found] = separation
                        found += 1
                    row += 1
            table = table_end + 1
        found = _sort_and_cut(rows, separations, begin, found, most)
    return queries[:found], rows[:found], separations[:found]


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
    found, rows, separations = _search(
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
