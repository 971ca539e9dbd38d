"""Which HEALPix cells a cone can touch, and at which order it pays to look."""

from __future__ import annotations

from typing import Any

from numba import njit

from shared.sky.healpix import DEEPEST_ORDER, INVALID_CELL, compress_bits
from shared.sky.healpix_neighbours import cell_at

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
def candidate_cells(cell29: int, order: int, step: float, out: Any) -> int:
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
def order_for(reach_rad: float, rows: int) -> int:
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
