"""The map of Schlegel, Finkbeiner & Davis 1998 (ApJ 500, 525): two hemispheres, 4096 x 4096.

Lambert's zenithal equal-area projection around each galactic pole (their appendix C), read
between pixels by bilinear interpolation. The values are the map's own: multiply by 0.86 for the
scale of Schlafly & Finkbeiner 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.xmatch.dust.base import DustMapError
from services.xmatch.dust.galactic import galactic_of

FILES = {1: "SFD_dust_4096_ngp.fits", -1: "SFD_dust_4096_sgp.fits"}
"""File of the northern (1) and southern (-1) galactic hemisphere."""


@dataclass(frozen=True, slots=True)
class Hemisphere:
    """One file."""

    sign: int
    pixels: npt.NDArray[Any]
    """E(B-V), magnitudes, shape (y, x), as the file stores it."""
    scale: float
    """Pixels from the pole to the galactic equator (LAM_SCAL)."""
    centre_x: float
    centre_y: float
    """Pixel of the pole, counted from 0."""

    def at(
        self, longitude_deg: npt.NDArray[np.float64], sine: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Values between pixels, shape (n,)."""
        out = self.scale * np.sqrt(1.0 - self.sign * sine)
        angle = np.radians(longitude_deg)
        x = self.centre_x + out * np.cos(angle)
        y = self.centre_y - self.sign * out * np.sin(angle)
        height, width = self.pixels.shape
        left = np.clip(np.floor(x), 0, width - 2).astype(np.int64)
        low = np.clip(np.floor(y), 0, height - 2).astype(np.int64)
        dx, dy = np.clip(x - left, 0.0, 1.0), np.clip(y - low, 0.0, 1.0)
        below = self.pixels[low, left] * (1.0 - dx) + self.pixels[low, left + 1] * dx
        above = self.pixels[low + 1, left] * (1.0 - dx) + self.pixels[low + 1, left + 1] * dx
        return np.asarray(below * (1.0 - dy) + above * dy, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ZenithalMap:
    """Both hemispheres."""

    north: Hemisphere
    south: Hemisphere

    def ebv_mag(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """E(B-V), shape (n,); see ``DustMap``."""
        longitude, _, sine = galactic_of(vectors)
        values = np.empty(len(vectors), np.float32)
        for hemisphere, here in ((self.north, sine >= 0.0), (self.south, sine < 0.0)):
            if here.any():
                values[here] = hemisphere.at(longitude[here], sine[here])
        return values


def open_zenithal(folder: Path) -> ZenithalMap:
    """Map the two files into memory.

    Raises
    ------
    DustMapError
        If a file is missing, is not FITS or is not of this projection.
    """
    return ZenithalMap(*(_hemisphere(folder / name, sign) for sign, name in FILES.items()))


def _hemisphere(path: Path, sign: int) -> Hemisphere:
    from astropy.io import fits  # noqa: PLC0415  # half a second, only where there is a map

    try:
        with fits.open(path, memmap=True) as hdus:
            header, pixels = hdus[0].header, hdus[0].data
        if pixels is None or pixels.ndim != 2 or int(header["LAM_NSGP"]) != sign:
            raise DustMapError(f"{path} is not the image of galactic hemisphere {sign:+d}")
        return Hemisphere(
            sign,
            pixels,
            float(header["LAM_SCAL"]),
            float(header["CRPIX1"]) - 1.0,
            float(header["CRPIX2"]) - 1.0,
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DustMapError(
            f"{path}: {error}; the SFD map is two files, {' and '.join(FILES.values())}"
        ) from error
