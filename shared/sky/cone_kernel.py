"""The compiled heart of ``shared.sky.cone_search``: which rows to look at, which to keep."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from shared.sky.cone_cells import STEEPEST, candidate_cells, order_for
from shared.sky.healpix import DEEPEST_ORDER
from shared.sky.proper_motion import LONGEST_YEARS

END_OF_SKY = 12 << (2 * DEEPEST_ORDER)

AHEAD = 64
"""Queries whose rows are asked for together, before they are looked at one by one."""

CACHED_ROWS = 4_000_000
"""In a catalog of fewer rows, asking ahead gains nothing: much of it is in the caches."""


class Columns(NamedTuple):
    """The arrays of a ``SortedCatalog``, which says what they mean, as compiled code takes them."""

    cells29: Any
    vectors: Any
    reach_rad: Any
    motion: Any
    ellipse: Any
    layer_reach_rad: Any
    layer_motion: Any
    layer_motion_start: Any
    layer_ellipse_start: Any
    bucket_orders: Any
    bucket_start: Any


class Cone(NamedTuple):
    """How far to look."""

    least_reach_rad: float
    """Every row's reach is at least this, radians."""
    own_reach: bool
    """Whether rows' own reaches count at all."""


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
    catalog: Any,
    cone: Any,
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
    cells29, vectors, reach_rad = catalog.cells29, catalog.vectors, catalog.reach_rad
    ax, ay, az = query_vector[0], query_vector[1], query_vector[2]
    while row < end and cells29[row] < stop and found < len(rows):
        bx, by, bz = vectors[row, 0], vectors[row, 1], vectors[row, 2]
        chord2 = (ax - bx) ** 2 + (ay - by) ** 2 + (az - bz) ** 2
        if chord2 <= farthest:
            # Kahan's form: exact to the last digits from 0 to 180 degrees.
            sum2 = (ax + bx) ** 2 + (ay + by) ** 2 + (az + bz) ** 2
            separation = 2.0 * math.atan2(math.sqrt(chord2), math.sqrt(sum2))
            own = 0.0
            if cone.own_reach:
                own = reach_rad[row] if len(reach_rad) > 1 else reach_rad[0]
            if separation <= max(own, cone.least_reach_rad):
                rows[found] = row
                separations[found] = separation
                found += 1
        row += 1
    return row, found


@njit(cache=True, nogil=True)
def _inside(
    separation: float, half_sine: float, along: float, axis_ratio: float, reach: float
) -> bool:
    """Whether a position is inside an ellipse of semi-major axis ``reach``, all in radians.

    ``along`` is the chord's component along the major axis, ``half_sine`` the sine of the
    separation: their quotient is the cosine of the angle between the axis and the great circle.
    """
    if half_sine <= 0.0:
        return True
    on_major = separation * min(max(along / half_sine, -1.0), 1.0)
    on_minor = math.sqrt(max(separation**2 - on_major**2, 0.0)) / axis_ratio
    return bool(on_major**2 + on_minor**2 <= reach**2)


@njit(cache=True, nogil=True)
def _scan_shaped(
    query_vector: Any,
    years: float,
    catalog: Any,
    cone: Any,
    farthest: float,
    motion_shift: int,
    ellipse_shift: int,
    row: int,
    end: int,
    stop: int,
    rows: Any,
    separations: Any,
    found: int,
) -> Any:
    """``_scan`` for layers of rows that move, or reach farther in one direction, or both.

    ``motion[row - motion_shift]`` belongs to a row; a shift below zero says there is none.
    """
    cells29, vectors, reach_rad = catalog.cells29, catalog.vectors, catalog.reach_rad
    motion, ellipse = catalog.motion, catalog.ellipse
    while row < end and cells29[row] < stop and found < len(rows):
        bx, by, bz = vectors[row, 0], vectors[row, 1], vectors[row, 2]
        if motion_shift >= 0:
            at = row - motion_shift
            elapsed = years - motion[at, 3]
            bx += elapsed * motion[at, 0]
            by += elapsed * motion[at, 1]
            bz += elapsed * motion[at, 2]
            shrink = 1.0 / math.sqrt(bx * bx + by * by + bz * bz)
            bx, by, bz = bx * shrink, by * shrink, bz * shrink
        dx, dy, dz = query_vector[0] - bx, query_vector[1] - by, query_vector[2] - bz
        chord2 = dx * dx + dy * dy + dz * dz
        if chord2 <= farthest:
            sum2 = (dx + 2.0 * bx) ** 2 + (dy + 2.0 * by) ** 2 + (dz + 2.0 * bz) ** 2
            separation = 2.0 * math.atan2(math.sqrt(chord2), math.sqrt(sum2))
            keep = separation <= cone.least_reach_rad
            if cone.own_reach and not keep:
                own = reach_rad[row] if len(reach_rad) > 1 else reach_rad[0]
                keep = separation <= own
                if keep and ellipse_shift >= 0:
                    at = row - ellipse_shift
                    along = dx * ellipse[at, 0] + dy * ellipse[at, 1] + dz * ellipse[at, 2]
                    half_sine = 0.5 * math.sqrt(chord2 * sum2)
                    keep = _inside(separation, half_sine, along, ellipse[at, 3], own)
            if keep:
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
def _usable(years: Any) -> Any:
    """Years between epochs as they are applied: none where unknown or beyond belief."""
    applied = np.zeros(len(years), np.float64)
    for query in range(len(years)):
        if abs(years[query]) <= LONGEST_YEARS:
            applied[query] = years[query]
    return applied


class Plan(NamedTuple):
    """How each layer is searched in this batch, shape (k,)."""

    tables: Any
    """Where the layer's bucket table starts; one number more than there are layers."""
    orders: Any
    """HEALPix order of the cells that are looked at; -1 for all rows."""
    reaches: Any
    """Largest reach, motion since the catalog's epoch included, radians."""
    farthest: Any
    """The square of the chord that belongs to it."""


@njit(cache=True, nogil=True)
def _plan(catalog: Any, cone: Any, most_years: float) -> Any:
    layers = len(catalog.layer_reach_rad)
    tables = np.zeros(layers + 1, np.int64)
    orders = np.empty(layers, np.int64)
    reaches = np.empty(layers, np.float64)
    for layer in range(layers):
        end = tables[layer] + (12 << (2 * catalog.bucket_orders[layer]))
        own = catalog.layer_reach_rad[layer] if cone.own_reach else 0.0
        # Rows may count from epochs of their own: the second number is how far those differ.
        moved = catalog.layer_motion[layer, 0] * (most_years + catalog.layer_motion[layer, 1])
        reaches[layer] = max(own, cone.least_reach_rad) + moved
        rows = catalog.bucket_start[end] - catalog.bucket_start[tables[layer]]
        orders[layer] = order_for(reaches[layer], rows)
        tables[layer + 1] = end + 1
    farthest = 4.0 * np.sin(0.5 * np.minimum(reaches, math.pi)) ** 2 * (1.0 + 1e-9)
    return Plan(tables, orders, reaches, farthest)


@njit(cache=True, nogil=True)
def _search_layer(
    query_cell: int,
    query_vector: Any,
    years: float,
    catalog: Any,
    cone: Any,
    plan: Any,
    layer: int,
    candidates: Any,
    rows: Any,
    separations: Any,
    found: int,
) -> Any:
    """Append the matches of one query in one layer; the arrays come back, longer if need be."""
    table, order = plan.tables[layer], plan.orders[layer]
    first = catalog.bucket_start[table]
    end = catalog.bucket_start[plan.tables[layer + 1] - 1]
    motion_shift, ellipse_shift = -1, -1
    if catalog.layer_motion_start[layer] >= 0:
        motion_shift = first - catalog.layer_motion_start[layer]
    if catalog.layer_ellipse_start[layer] >= 0:
        ellipse_shift = first - catalog.layer_ellipse_start[layer]
    cells = 1
    if order >= 0:
        step = plan.reaches[layer] * STEEPEST * (1 << order)
        cells = candidate_cells(query_cell, order, step, candidates)
    for index in range(cells):
        row, stop = first, END_OF_SKY
        if order >= 0:
            shift = 2 * (DEEPEST_ORDER - order)
            start, stop = candidates[index] << shift, (candidates[index] + 1) << shift
            row = _first_row(catalog.cells29, start, catalog.bucket_start, table,
                             catalog.bucket_orders[layer])  # fmt: skip
        while True:
            if motion_shift < 0 and ellipse_shift < 0:
                row, found = _scan(query_vector, catalog, cone, plan.farthest[layer],
                                   row, end, stop, rows, separations, found)  # fmt: skip
            else:
                row, found = _scan_shaped(query_vector, years, catalog, cone,
                                          plan.farthest[layer], motion_shift, ellipse_shift,
                                          row, end, stop, rows, separations, found)  # fmt: skip
            if found < len(rows):
                break
            rows, separations = _doubled(rows), _doubled(separations)
    return rows, separations, found


@njit(cache=True, nogil=True)
def _touch(query_cells: Any, begin: int, end: int, catalog: Any, plan: Any, rows: Any) -> int:
    """Load what ``end - begin`` queries will look at, so that they wait for memory together.

    In a large catalog a query's rows are in no cache: its loads follow from one another and
    take a hundred nanoseconds each, those of other queries do not wait for them. The sum means
    nothing; it keeps the compiler from leaving the loads out.
    """
    total = 0
    for layer in range(len(plan.orders)):
        order = plan.orders[layer]
        if order < 0:
            continue
        shift = 2 * (DEEPEST_ORDER - order)
        bucket_shift = 2 * (DEEPEST_ORDER - catalog.bucket_orders[layer])
        for query in range(begin, end):
            start = (max(query_cells[query], 0) >> shift) << shift
            bucket = plan.tables[layer] + (start >> bucket_shift)
            low, high = catalog.bucket_start[bucket], catalog.bucket_start[bucket + 1]
            # Where in its bucket the cell starts, in 1024ths.
            part = ((start >> (bucket_shift - 10)) & 1023) if bucket_shift >= 10 else 0
            rows[query - begin] = low + (((high - low) * part) >> 10)
        for query in range(begin, end):
            row = min(rows[query - begin], len(catalog.cells29) - 1)
            total += catalog.cells29[row] + (1 if catalog.vectors[row, 0] > 0.5 else 0)
    return total


@njit(cache=True, nogil=True)
def search(
    query_cells: Any, query_vectors: Any, query_years: Any, catalog: Any, cone: Any, most: int
) -> Any:
    """``cone_search`` on plain arrays: query, row and separation (radians) of every match.

    ``query_years`` are Julian years from the catalog's epoch to each query, NaN if unknown.
    """
    years = _usable(query_years)
    plan = _plan(catalog, cone, np.abs(years).max() if len(years) else 0.0)
    ends = np.empty(len(query_cells), np.int64)
    rows = np.empty(16 + 2 * len(query_cells), np.int64)
    separations = np.empty(len(rows), np.float64)
    candidates = np.empty(9, np.int64)
    ahead = np.empty(AHEAD, np.int64)
    found = 0
    for query in range(len(query_cells)):
        if query % AHEAD == 0 and len(catalog.cells29) > CACHED_ROWS:
            end = min(query + AHEAD, len(query_cells))
            candidates[0] = _touch(query_cells, query, end, catalog, plan, ahead)
        begin = found
        for layer in range(len(plan.orders) if query_cells[query] >= 0 else 0):
            rows, separations, found = _search_layer(
                query_cells[query], query_vectors[query], years[query], catalog, cone, plan,
                layer, candidates, rows, separations, found)  # fmt: skip
        found = _sort_and_cut(rows, separations, begin, found, most)
        ends[query] = found
    queries = np.empty(found, np.int64)
    begin = 0
    for query in range(len(ends)):
        queries[begin : ends[query]] = query
        begin = ends[query]
    return queries, rows[:found].copy(), separations[:found].copy()
