"""Error ellipses: a two-dimensional Gaussian in the plane tangent at the centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.mma.skymaps.base import FloatArray
from services.mma.skymaps.tangent import Quadratic, in_tangent_plane


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
        east, north = in_tangent_plane(self.ra_deg, self.dec_deg, ra_deg, dec_deg)
        angle = np.radians(self.position_angle_deg)
        along_major = north * np.cos(angle) + east * np.sin(angle)
        along_minor = east * np.cos(angle) - north * np.sin(angle)
        r2 = (along_major / self.semi_major_deg) ** 2 + (along_minor / self.semi_minor_deg) ** 2
        return np.asarray(r2, dtype=np.float64)

    def area_of_contour_deg2(self) -> float:
        """Area of the ellipse, square degrees."""
        return float(np.pi * self.semi_major_deg * self.semi_minor_deg)

    def extent_deg(self) -> tuple[float, float]:
        """Semi-minor and semi-major axis."""
        axes = (self.semi_major_deg, self.semi_minor_deg)
        return min(axes), max(axes)
