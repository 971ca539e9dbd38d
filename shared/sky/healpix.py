"""HEALPix cell numbers: nested scheme, ICRS, up to order 29.

Order 29 is the deepest that fits a 64-bit integer (cells of 0.4 milliarcseconds), so one
number per position serves every coarser order by a shift: ``cell >> 2 * (29 - order)``.
Method: Górski et al. 2005, ApJ 622, 759. The polar caps use the co-latitude itself and not
1 - |sin dec|, which loses half of the digits there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

DEEPEST_ORDER = 29
INVALID_CELL = -1
"""Cell of a position that is not finite or not on the sphere."""

SQRT6 = math.sqrt(6.0)


@njit(cache=True, nogil=True)
def spread_bits(value: int) -> int:
    """Put a zero bit above each of the 32 low bits of ``value``."""
    v = value & 0xFFFFFFFF
    v = (v | (v << 16)) & 0x0000FFFF0000FFFF
    v = (v | (v << 8)) & 0x00FF00FF00FF00FF
    v = (v | (v << 4)) & 0x0F0F0F0F0F0F0F0F
    v = (v | (v << 2)) & 0x3333333333333333
    return (v | (v << 1)) & 0x5555555555555555


@njit(cache=True, nogil=True)
def compress_bits(value: int) -> int:
    """Keep every second bit of ``value``, from the lowest on: the inverse of spread_bits."""
    v = value & 0x5555555555555555
    v = (v | (v >> 1)) & 0x3333333333333333
    v = (v | (v >> 2)) & 0x0F0F0F0F0F0F0F0F
    v = (v | (v >> 4)) & 0x00FF00FF00FF00FF
    v = (v | (v >> 8)) & 0x0000FFFF0000FFFF
    return (v | (v >> 16)) & 0x00000000FFFFFFFF


@njit(cache=True, nogil=True)
def cell_of_position(order: int, ra_deg: float, dec_deg: float) -> int:
    """Nested cell of one position, or ``INVALID_CELL``; any finite right ascension is wrapped."""
    if not (math.isfinite(ra_deg) and -90.0 <= dec_deg <= 90.0):
        return INVALID_CELL
    nside = 1 << order
    quadrant = (ra_deg % 360.0) / 90.0
    if quadrant >= 4.0:  # -1e-20 % 360.0 is 360.0
        quadrant = 0.0
    z = math.sin(math.radians(dec_deg))
    if abs(z) <= 2.0 / 3.0:
        along = nside * (0.5 + quadrant)
        across = nside * (0.75 * z)
        falling = int(along - across)
        rising = int(along + across)
        face_falling = falling >> order
        face_rising = rising >> order
        if face_falling == face_rising:
            face = face_falling | 4
        elif face_falling < face_rising:
            face = face_falling
        else:
            face = face_rising + 8
        ix = rising & (nside - 1)
        iy = nside - (falling & (nside - 1)) - 1
    else:
        cap = int(quadrant)
        part = quadrant - cap
        ring = nside * SQRT6 * math.sin(0.5 * math.radians(90.0 - abs(dec_deg)))
        low = min(int(part * ring), nside - 1)
        high = min(int((1.0 - part) * ring), nside - 1)
        if z >= 0.0:
            face, ix, iy = cap, nside - high - 1, nside - low - 1
        else:
            face, ix, iy = cap + 8, low, high
    return (face << (2 * order)) | spread_bits(ix) | (spread_bits(iy) << 1)


@njit(cache=True, nogil=True)
def _cells(order: int, ra_deg: Any, dec_deg: Any, cells: Any) -> None:
    for row in range(len(cells)):
        cells[row] = cell_of_position(order, ra_deg[row], dec_deg[row])


def healpix_of(order: int, ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """HEALPix cells of positions.

    Parameters
    ----------
    order
        0 to 29; the sphere has ``12 * 4**order`` cells.
    ra_deg, dec_deg
        ICRS, degrees, shape (n,) or scalars. Any finite right ascension is wrapped into a turn.

    Returns
    -------
    Nested cell numbers, shape (n,); ``INVALID_CELL`` (-1) where a coordinate is not finite or
    the declination is outside [-90, 90].

    Raises
    ------
    ValueError
        If the order is outside 0 to 29 or the lengths differ.
    """
    if not 0 <= order <= DEEPEST_ORDER:
        raise ValueError(f"HEALPix order {order} is outside 0 to {DEEPEST_ORDER}")
    ra = np.atleast_1d(np.asarray(ra_deg, dtype=np.float64))
    dec = np.atleast_1d(np.asarray(dec_deg, dtype=np.float64))
    if ra.shape != dec.shape or ra.ndim != 1:
        raise ValueError(f"ra_deg has shape {ra.shape}, dec_deg {dec.shape}; give equal (n,)")
    cells = np.empty(len(ra), dtype=np.int64)
    _cells(order, ra, dec, cells)
    return cells


def healpix29_of(ra_deg: npt.ArrayLike, dec_deg: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """HEALPix cells of order 29 of positions: see ``healpix_of``."""
    return healpix_of(DEEPEST_ORDER, ra_deg, dec_deg)


def coarser(cells29: npt.NDArray[np.int64], order: int) -> npt.NDArray[np.int64]:
    """Shift cells of order 29 to the cells of ``order`` that hold them; ``INVALID_CELL`` stays.

    Raises
    ------
    ValueError
        If the order is outside 0 to 29.
    """
    if not 0 <= order <= DEEPEST_ORDER:
        raise ValueError(f"HEALPix order {order} is outside 0 to {DEEPEST_ORDER}")
    return np.asarray(cells29, dtype=np.int64) >> (2 * (DEEPEST_ORDER - order))
