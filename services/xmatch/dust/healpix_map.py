"""Dust maps in HEALPix FITS files, nested or ring, in galactic or equatorial coordinates.

CSFD (Chiang 2023, ApJ 958, 118), Planck's maps and others; the value is that of the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from services.xmatch.dust.base import DustMapError
from services.xmatch.dust.galactic import galactic_of
from shared.sky.healpix import DEEPEST_ORDER, compress_bits, healpix_of

EBV_COLUMNS = ("EBV", "E(B-V)", "E_B_V", "CSFD", "SFD", "EBV_MAG")
"""Names a column of E(B-V) goes by; a file with one column needs none of them."""
UNSEEN = -1.6375e30
"""HEALPix's mark of a pixel without data."""
_RING_OF_FACE = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_PHASE_OF_FACE = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])


@njit(cache=True, nogil=True)
def ring_of_nested(cells: Any, order: int) -> Any:
    """Ring numbers of nested cells (Górski et al. 2005, section 5.2), shape (n,)."""
    nside = 1 << order
    rings = np.empty(len(cells), np.int64)
    for i in range(len(cells)):
        face = cells[i] >> (2 * order)
        within = cells[i] & ((1 << (2 * order)) - 1)
        ix, iy = compress_bits(within), compress_bits(within >> 1)
        ring = _RING_OF_FACE[face] * nside - ix - iy - 1
        shift = 0
        if ring < nside:
            length = ring
            before = 2 * length * (length - 1)
        elif ring > 3 * nside:
            length = 4 * nside - ring
            before = 12 * nside * nside - 2 * (length + 1) * length
        else:
            length = nside
            before = 2 * nside * (nside - 1) + (ring - nside) * 4 * nside
            shift = (ring - nside) & 1
        place = (_PHASE_OF_FACE[face] * length + ix - iy + 1 + shift) // 2
        if place > 4 * nside:
            place -= 4 * nside
        if place < 1:
            place += 4 * nside
        rings[i] = before + place - 1
    return rings


@dataclass(frozen=True, slots=True)
class HealpixMap:
    """One map."""

    pixels: npt.NDArray[Any]
    """E(B-V), magnitudes, as the file stores it: shape (cells,) or (rows, cells per row)."""
    order: int
    is_ring: bool
    is_galactic: bool

    def ebv_mag(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """E(B-V), shape (n,); see ``DustMap``."""
        if self.is_galactic:
            longitude, latitude, _ = galactic_of(vectors)
        else:
            x, y, z = vectors.T
            longitude = np.degrees(np.arctan2(y, x))
            latitude = np.degrees(np.arctan2(z, np.hypot(x, y)))
        cells = healpix_of(self.order, longitude, latitude)
        if self.is_ring:
            cells = ring_of_nested(cells, self.order)
        width = self.pixels.shape[1] if self.pixels.ndim == 2 else 1
        values = (
            self.pixels[cells // width, cells % width] if width > 1 else self.pixels.ravel()[cells]
        )
        ebv = values.astype(np.float32)
        ebv[~(ebv > 0.5 * UNSEEN)] = np.nan
        return ebv


def open_healpix(path: Path) -> HealpixMap:
    """Map the file into memory.

    Raises
    ------
    DustMapError
        If it is not a HEALPix table of the whole sky, or it is not clear which column to take.
    """
    from astropy.io import fits  # noqa: PLC0415  # half a second, only where there is a map

    try:
        with fits.open(path, memmap=True) as hdus:
            table = next(hdu for hdu in hdus[1:] if "ORDERING" in hdu.header)
            header, name = table.header, _column(path, table.columns.names)
            pixels = np.asarray(table.data[name])
    except StopIteration:
        raise DustMapError(f"{path} has no table with ORDERING: it is not HEALPix") from None
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DustMapError(f"{path} cannot be read as HEALPix FITS: {error}") from error
    order = (pixels.size // 12).bit_length() // 2
    if pixels.size != 12 << (2 * order) or order > DEEPEST_ORDER:
        raise DustMapError(f"{path} has {pixels.size} cells, which is not the whole sky")
    ordering = str(header["ORDERING"]).strip().upper()
    frame = str(header.get("COORDSYS", "G")).strip().upper()[:1]
    if ordering not in {"RING", "NESTED", "NEST"} or frame not in {"G", "C", "E"}:
        raise DustMapError(f"{path}: ordering {ordering!r} or frame {frame!r} is not known")
    if frame == "E":
        raise DustMapError(f"{path} is in ecliptic coordinates; give a galactic or ICRS map")
    return HealpixMap(pixels, order, ordering == "RING", frame == "G")


def _column(path: Path, names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    known = [name for name in names if name.strip().upper() in EBV_COLUMNS]
    if len(known) != 1:
        raise DustMapError(
            f"{path} has the columns {', '.join(names)}; exactly one must be named "
            f"{' or '.join(EBV_COLUMNS[:3])}"
        )
    return known[0]
