"""Error ellipses: a two-dimensional Gaussian in the plane tangent at the centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.mma.skymaps.base import FloatArray
from services.mma.skymaps.tangent import Quadratic


@dataclass(frozen=True, slots=True)
class ErrorEllipse(Quadratic):
    """Ellipse that holds the fraction ``containment``; credible level 1 - (1 - c)^(r^2)."""

    ra_deg: float
    dec_deg: float
    semi_major_deg: float
    semi_minor_deg: float
    position_angle_deg: float
    """Of the major axis, from north to east."""
    containment: float

    def scaled_radius2(self, ra_deg: FloatArray, dec_deg: FloatArray) -> FloatArray:
        """r^2 of each position."""
        ra, dec = np.radians(ra_deg - self.ra_deg), np.radians(dec_deg)
        dec0 = np.radians(self.dec_deg)
        cos_angle = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra)
        east = np.cos(dec) * np.sin(ra)
        north = np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra)
        across = np.hypot(east, north)
        # Equidistant azimuthal: keeps the distance from the centre true for wide ellipses.
        angle = np.degrees(np.arctan2(across, cos_angle))
        stretch = angle / np.where(across > 0, across, 1.0)
        position_angle = np.radians(self.position_angle_deg)
        along_major = stretch * (north * np.cos(position_angle) + east * np.sin(position_angle))
        along_minor = stretch * (east * np.cos(position_angle) - north * np.sin(position_angle))
        r2 = (along_major / self.semi_major_deg) ** 2 + (along_minor / self.semi_minor_deg) ** 2
        return np.asarray(r2, dtype=np.float64)

    def area_of_contour_deg2(self) -> float:
        """Area of the ellipse, square degrees."""
        return float(np.pi * self.semi_major_deg * self.semi_minor_deg)

    def extent_deg(self) -> tuple[float, float]:
        """Semi-minor and semi-major axis."""
        axes = (self.semi_major_deg, self.semi_minor_deg)
        return min(axes), max(axes)
