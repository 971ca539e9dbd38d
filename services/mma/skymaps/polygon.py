"""Error boxes: any polygon that is seen whole from its centre."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.mma.skymaps.base import FloatArray
from services.mma.skymaps.tangent import Quadratic, in_tangent_plane

MAX_CORNERS = 1000
_FARTHEST_CORNER_DEG = 90.0


@dataclass(frozen=True)
class ErrorPolygon(Quadratic):
    """Polygon that holds the fraction ``containment``; credible level 1 - (1 - c)^(r^2).

    r is the factor by which the polygon is to be scaled about its centre to reach a position:
    all contours are similar to it. The corners go round the centre, in either sense.

    Raises
    ------
    ValueError
        Fewer than 3 corners or more than ``MAX_CORNERS``, one at the centre or a quarter of the
        sky away, or an edge that passes the centre on the wrong side.
    """

    ra_deg: float
    dec_deg: float
    corners_deg: tuple[tuple[float, float], ...]
    containment: float

    def __post_init__(self) -> None:
        """Refuse what has no inside."""
        if not 3 <= len(self.corners_deg) <= MAX_CORNERS:
            raise ValueError(f"a polygon has 3 to {MAX_CORNERS} corners, not {len(self._corners)}")
        if np.hypot(*self._corners.T).max() > _FARTHEST_CORNER_DEG:
            raise ValueError("a corner is more than 90 degrees from the centre")
        crosses = self._crosses
        if not (np.all(crosses > 0) or np.all(crosses < 0)) or abs(self._turns - 1.0) > 1e-6:
            raise ValueError("the corners do not go round the centre once, in order")

    @cached_property
    def _corners(self) -> FloatArray:
        """East and north of the corners in the plane, degrees, shape (k, 2)."""
        ra, dec = np.array(self.corners_deg, dtype=np.float64).T
        return np.stack(in_tangent_plane(self.ra_deg, self.dec_deg, ra, dec), axis=1)

    @cached_property
    def _crosses(self) -> FloatArray:
        """Twice the signed area between the centre and each edge, shape (k,)."""
        following = np.roll(self._corners, -1, axis=0)
        return self._corners[:, 0] * following[:, 1] - self._corners[:, 1] * following[:, 0]

    @property
    def _turns(self) -> float:
        following = np.roll(self._corners, -1, axis=0)
        along = np.einsum("ij,ij->i", self._corners, following)
        return float(np.abs(np.arctan2(self._crosses, along)).sum() / (2.0 * np.pi))

    def scaled_radius2(self, ra_deg: FloatArray, dec_deg: FloatArray) -> FloatArray:
        """r^2 of each position."""
        x, y = in_tangent_plane(self.ra_deg, self.dec_deg, np.asarray(ra_deg), np.asarray(dec_deg))
        following = np.roll(self._corners, -1, axis=0)
        scale = np.zeros(len(x))
        for (ax, ay), (bx, by), cross in zip(self._corners, following, self._crosses, strict=True):
            # position = first * a + second * b; both positive in the sector of this edge.
            first, second = (x * by - y * bx) / cross, (ax * y - ay * x) / cross
            here = (first >= -1e-12) & (second >= -1e-12)
            scale[here] = np.maximum(scale[here], (first + second)[here])
        return np.asarray(scale**2, dtype=np.float64)

    def area_of_contour_deg2(self) -> float:
        """Area of the polygon in the plane, square degrees."""
        return float(abs(self._crosses.sum()) / 2.0)

    def extent_deg(self) -> tuple[float, float]:
        """Distance of the nearest edge's line and of the farthest corner from the centre."""
        edges = np.hypot(*(np.roll(self._corners, -1, axis=0) - self._corners).T)
        nearest = np.min(np.abs(self._crosses) / edges)
        return float(nearest), float(np.hypot(*self._corners.T).max())
