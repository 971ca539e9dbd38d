"""The compiled heart of ``shared.sky.cone_search``: which cells to look at, which rows to keep."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from shared.sky.healpix import DEEPEST_ORDER, INVALID_CELL, compress_bits
from shared.sky.healpix_neighbours import cell_at

END_OF_SKY = 12 << (2 * DEEPEST_ORDER)

STEEPEST = 1.5
"""Most that an in-face coordinate (in units of a base cell) can change per radian of arc.

Górski's projection: at most 1.02 in the equatorial belt; sqrt(3/2 + (sqrt(6)/pi/0.913)**2) =
1.493 at the edges of the polar caps."""

USUAL_STEP = 0.05
"""Reach in units of the cell's side at the order that is searched: nine tenths of all queries
then stay inside one cell."""

CROWD = 4
"""Mean rows per cell from which smaller cells are better, though more of them are looked at."""

FEW_ROWS = 100
"""So many rows are looked at sooner than the cells they are in are found."""

WIDEST_STEP = 0.5
"""Reach in units of the cell's side up to which the cone stays within the cell's neighbours."""


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
def _order_for(reach_rad: float, rows: int) -> int:
    """Order at which a layer is searched; -1 if all of its rows are to be looked at."""
    step = reach_rad * STEEPEST
    if step > WIDEST_STEP or rows <= FEW_ROWS:
        return -1
    order = 0
    while order < DEEPEST_ORDER - 1 and 2.0 * step <= WIDEST_STEP:
        crowded = rows > CROWD * (12 << (2 * order))
        if 2.0 * step > USUAL_STEP and not crowded:
            break
        step *= 2.0
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
def _scan(
    query_vector: Any,
    cells29: Any,
    vectors: Any,
    reach_rad: Any,
    least_reach_rad: float,
    farthest: float,
    row: int,
    end: int,
    stop: int,
    rows: Any,
    separations: Any,
    found: int,
) -> Any:
    """Look at rows from ``row`` on, in cells before ``stop``; returns early if ``rows`` is full.

    A function of its own, that rebinds no array: numba counts references for every row if the
    arrays could be replaced inside the loop, which costs ten times the arithmetic.
    """
    ax, ay, az = query_vector[0], query_vector[1], query_vector[2]
    while row < end and cells29[row] < stop and found < len(rows):
        bx, by, bz = vectors[row, 0], vectors[row, 1], vectors[row, 2]
        chord2 = (ax - bx) ** 2 + (ay - by) ** 2 + (az - bz) ** 2
        if chord2 <= farthest:
            # Kahan's form: exact to the last digits from 0 to 180 degrees.
            sum2 = (ax + bx) ** 2 + (ay + by) ** 2 + (az + bz) ** 2
            separation = 2.0 * math.atan2(math.sqrt(chord2), math.sqrt(sum2))
            own = reach_rad[row] if len(reach_rad) > 1 else reach_rad[0]
            if separation <= max(own, least_reach_rad):
                rows[found] = row
                separations[found] = separation
                found += 1
        row += 1
    return row, found


@njit(cache=True, nogil=True)
def _doubled(array: Any) -> Any:
    return np.concatenate((array, np.empty_like(array)))


@njit(cache=True, nogil=True)
def _first_row(cells29: Any, start: int, bucket_start: Any, table: int, bucket_order: int) -> int:
    """First row of a layer whose cell is at least ``start``."""
    bucket = table + (start >> (2 * (DEEPEST_ORDER - bucket_order)))
    return _first_at_or_after(cells29, start, bucket_start[bucket], bucket_start[bucket + 1])


@njit(cache=True, nogil=True)
def search(
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
    """``cone_search`` on plain arrays: query, row and separation (radians) of every match."""
    layers = len(layer_reach_rad)
    tables = np.zeros(layers + 1, np.int64)
    orders = np.empty(layers, np.int64)
    farthest = np.empty(layers, np.float64)
    for layer in range(layers):
        end = tables[layer] + (12 << (2 * bucket_orders[layer]))
        reach = max(layer_reach_rad[layer], least_reach_rad)
        orders[layer] = _order_for(reach, bucket_start[end] - bucket_start[tables[layer]])
        farthest[layer] = 4.0 * math.sin(0.5 * min(reach, math.pi)) ** 2 * (1.0 + 1e-9)
        tables[layer + 1] = end + 1
    ends = np.empty(len(query_cells), np.int64)
    rows = np.empty(16 + 2 * len(query_cells), np.int64)
    separations = np.empty(len(rows), np.float64)
    candidates = np.empty(9, np.int64)
    found = 0
    for query in range(len(query_cells)):
        begin = found
        for layer in range(layers if query_cells[query] >= 0 else 0):
            table, order = tables[layer], orders[layer]
            cells = 1
            if order >= 0:
                step = max(layer_reach_rad[layer], least_reach_rad) * STEEPEST * (1 << order)
                cells = _candidate_cells(query_cells[query], order, step, candidates)
            end = bucket_start[tables[layer + 1] - 1]
            for index in range(cells):
                row, stop = bucket_start[table], END_OF_SKY
                if order >= 0:
                    shift = 2 * (DEEPEST_ORDER - order)
                    start, stop = candidates[index] << shift, (candidates[index] + 1) << shift
                    row = _first_row(cells29, start, bucket_start, table, bucket_orders[layer])
                while True:
                    row, found = _scan(query_vectors[query], cells29, vectors, reach_rad,
                                       least_reach_rad, farthest[layer], row, end, stop,
                                       rows, separations, found)  # fmt: skip
                    if found < len(rows):
                        break
                    rows, separations = _doubled(rows), _doubled(separations)
        found = _sort_and_cut(rows, separations, begin, found, most)
        ends[query] = found
    queries = np.empty(found, np.int64)
    begin = 0
    for query in range(len(ends)):
        queries[begin : ends[query]] = query
        begin = ends[query]
    return queries, rows[:found].copy(), separations[:found].copy()
