"""Which HEALPix cell lies beside another, across the borders of the twelve base cells too.

The tables are those of the HEALPix paper's geometry (Górski et al. 2005, fig. 4): which base
cell lies in each of the eight directions, and how its axes are turned against ours.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from shared.sky.healpix import INVALID_CELL, spread_bits

# Rows: (dx < 0, 0, > 0) + 3 * (dy < 0, 0, > 0) of the step out of a base cell.
_FACE_BESIDE = np.array(
    [
        [8, 9, 10, 11, -1, -1, -1, -1, 10, 11, 8, 9],
        [5, 6, 7, 4, 8, 9, 10, 11, 9, 10, 11, 8],
        [-1, -1, -1, -1, 5, 6, 7, 4, -1, -1, -1, -1],
        [4, 5, 6, 7, 11, 8, 9, 10, 11, 8, 9, 10],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        [1, 2, 3, 0, 0, 1, 2, 3, 5, 6, 7, 4],
        [-1, -1, -1, -1, 7, 4, 5, 6, -1, -1, -1, -1],
        [3, 0, 1, 2, 3, 0, 1, 2, 4, 5, 6, 7],
        [2, 3, 0, 1, -1, -1, -1, -1, 0, 1, 2, 3],
    ],
    dtype=np.int64,
)

# Columns: northern, equatorial, southern base cell. Bit 0 mirrors x, bit 1 y, bit 2 swaps them.
_TURN_BESIDE = np.array(
    [
        [0, 0, 3],
        [0, 0, 6],
        [0, 0, 0],
        [0, 0, 5],
        [0, 0, 0],
        [5, 0, 0],
        [0, 0, 0],
        [6, 0, 0],
        [3, 0, 0],
    ],
    dtype=np.int64,
)


@njit(cache=True, nogil=True)
def cell_at(order: int, face: int, ix: int, iy: int) -> int:
    """Nested cell at (ix, iy) of a base cell, where both may lie one step outside of it.

    ``INVALID_CELL`` at the eight corners where only three base cells meet.
    """
    nside = 1 << order
    direction = 4
    if ix < 0:
        ix += nside
        direction -= 1
    elif ix >= nside:
        ix -= nside
        direction += 1
    if iy < 0:
        iy += nside
        direction -= 3
    elif iy >= nside:
        iy -= nside
        direction += 3
    beside = _FACE_BESIDE[direction, face]
    if beside < 0:
        return INVALID_CELL
    turn = _TURN_BESIDE[direction, face >> 2]
    if turn & 1:
        ix = nside - ix - 1
    if turn & 2:
        iy = nside - iy - 1
    if turn & 4:
        ix, iy = iy, ix
    return int((beside << (2 * order)) | spread_bits(ix) | (spread_bits(iy) << 1))
