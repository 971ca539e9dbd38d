"""Regions drawn in a plane about a centre: ellipses, boxes, IceCube's quadrants, annuli."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erf, erfinv

from services.mma.skymaps.base import (
    CELLS_PER_SIGMA,
    NEARLY_ALL,
    Cap,
    CellArray,
    FloatArray,
)
from services.mma.skymaps.multi_order import (
    SQUARE_DEGREES_ON_SPHERE,
    SQUARE_DEGREES_PER_STERADIAN,
)
from shared.sky.separation import separation_arcsec


def in_tangent_plane(
    centre_ra_deg: float, centre_dec_deg: float, ra_deg: FloatArray, dec_deg: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """East and north of a centre, degrees, shapes as given.

    Equidistant azimuthal: keeps the distance from the centre true for wide regions.
    """
    ra, dec = np.radians(ra_deg - centre_ra_deg), np.radians(dec_deg)
    dec0 = np.radians(centre_dec_deg)
    cos_angle = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra)
    east = np.cos(dec) * np.sin(ra)
    north = np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra)
    across = np.hypot(east, north)
    angle = np.degrees(np.arctan2(across, cos_angle))
    stretch = angle / np.where(across > 0, across, 1.0)
    return np.asarray(stretch * east), np.asarray(stretch * north)


class Quadratic:
    """What regions share whose credible level is 1 - (1 - c)^(r^2) of a scaled radius r."""

    ra_deg: float
    dec_deg: float
    containment: float

    def scaled_radius2(self, ra_deg: FloatArray, dec_deg: FloatArray) -> FloatArray:
        """r^2 of each position; 1 on the contour that holds ``containment``."""
        raise NotImplementedError

    def area_of_contour_deg2(self) -> float:
        """Area within r = 1, square degrees."""
        raise NotImplementedError

    def extent_deg(self) -> tuple[float, float]:
        """Smallest and largest half-width of the contour r = 1, degrees."""
        raise NotImplementedError

    def credible_levels(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Probability inside the similar contour through each position."""
        r2 = self.scaled_radius2(ra_deg, dec_deg)
        return np.asarray(-np.expm1(r2 * np.log1p(-self.containment)), dtype=np.float64)

    def densities_per_sr(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Probability per steradian, of the plane's Gaussian: a degree is taken as a degree."""
        r2 = self.scaled_radius2(ra_deg, dec_deg)
        decay = -np.log1p(-self.containment)
        peak = decay / self.area_of_contour_deg2() * SQUARE_DEGREES_PER_STERADIAN
        return np.asarray(peak * np.exp(-decay * r2), dtype=np.float64)

    def searched_areas_deg2(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Area of the similar contour through each position, square degrees."""
        r2 = self.scaled_radius2(ra_deg, dec_deg)
        return np.minimum(self.area_of_contour_deg2() * r2, SQUARE_DEGREES_ON_SPHERE)

    def _scale(self, credible_level: float) -> float:
        return float(
            np.sqrt(np.log1p(-min(credible_level, 1 - 1e-12)) / np.log1p(-self.containment))
        )

    def searched_area_deg2(self, credible_level: float) -> float:
        """Area of the similar contour with this credible level, square degrees."""
        area = self.area_of_contour_deg2() * self._scale(credible_level) ** 2
        return min(float(area), float(SQUARE_DEGREES_ON_SPHERE))

    def cap(self, credible_level: float) -> Cap:
        """A circle about the contour of this credible level."""
        radius = self.extent_deg()[1] * self._scale(credible_level)
        return Cap(self.ra_deg, self.dec_deg, min(180.0, radius))

    def cell_limits_deg(
        self, ra_deg: FloatArray, dec_deg: FloatArray, slack_deg: float
    ) -> FloatArray:
        """How large a cell may be there when compiled to a map: see ``compiled``."""
        narrow = self.extent_deg()[0]
        nearest = np.sqrt(self.scaled_radius2(ra_deg, dec_deg)) - slack_deg / narrow
        sigma = narrow / np.sqrt(-2.0 * np.log1p(-self.containment))
        return np.where(nearest > self._scale(NEARLY_ALL), np.inf, sigma / CELLS_PER_SIGMA)


@dataclass(frozen=True, slots=True)
class QuadrantEllipse(Quadratic):
    """Four quarters of ellipses: asymmetric errors in right ascension and declination.

    IceCube's errors are in degrees of the coordinate right ascension, not on the sky
    (gcn.nasa.gov/missions/icecube); r^2 = (d_ra / e_ra)^2 + (d_dec / e_dec)^2.
    """

    ra_deg: float
    dec_deg: float
    ra_plus_deg: float
    ra_minus_deg: float
    dec_plus_deg: float
    dec_minus_deg: float
    containment: float = 0.9

    def scaled_radius2(self, ra_deg: FloatArray, dec_deg: FloatArray) -> FloatArray:
        """r^2 of each position."""
        east = (np.asarray(ra_deg) - self.ra_deg + 180.0) % 360.0 - 180.0
        north = np.asarray(dec_deg) - self.dec_deg
        along_ra = east / np.where(east > 0, self.ra_plus_deg, self.ra_minus_deg)
        along_dec = north / np.where(north > 0, self.dec_plus_deg, self.dec_minus_deg)
        return np.asarray(along_ra**2 + along_dec**2, dtype=np.float64)

    def area_of_contour_deg2(self) -> float:
        """Area of the four quarters, square degrees on the sky."""
        return float(np.pi / 4.0 * self._box_deg2())

    def rectangle_area_deg2(self) -> float:
        """Area of the rectangle of the errors, which some follow instead of the ellipse."""
        return self._box_deg2()

    def _box_deg2(self) -> float:
        cos_dec = float(np.cos(np.radians(self.dec_deg)))
        width = (self.ra_plus_deg + self.ra_minus_deg) * cos_dec
        return width * (self.dec_plus_deg + self.dec_minus_deg)

    def in_rectangle(self, ra_deg: FloatArray, dec_deg: FloatArray) -> FloatArray:
        """Whether positions are in the rectangle of the errors, bool, shape (n,)."""
        east = (np.asarray(ra_deg) - self.ra_deg + 180.0) % 360.0 - 180.0
        north = np.asarray(dec_deg) - self.dec_deg
        in_ra = (-self.ra_minus_deg <= east) & (east <= self.ra_plus_deg)
        return np.asarray(in_ra & (-self.dec_minus_deg <= north) & (north <= self.dec_plus_deg))

    def extent_deg(self) -> tuple[float, float]:
        """Smallest and largest of the four errors, on the sky."""
        cos_dec = float(np.cos(np.radians(self.dec_deg)))
        errors = (self.ra_plus_deg * cos_dec, self.ra_minus_deg * cos_dec,
                  self.dec_plus_deg, self.dec_minus_deg)  # fmt: skip
        # Towards the pole a degree of right ascension is wider than at the centre.
        return min(errors), max(errors[0], errors[1], self.dec_plus_deg, self.dec_minus_deg) * 1.5


@dataclass(frozen=True, slots=True)
class ErrorAnnulus:
    """A ring on the sky, as two spacecraft of the interplanetary network give it.

    Gaussian across its width, even along it.
    """

    ra_deg: float
    dec_deg: float
    radius_deg: float
    """Of the middle of the ring about its centre, in (0, 180)."""
    sigma_deg: float
    """One-sigma half width, small against the radius."""

    def _deviation(self, ra_deg: FloatArray, dec_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
        away = separation_arcsec(self.ra_deg, self.dec_deg, ra_deg, dec_deg) / 3600.0
        return np.abs(away - self.radius_deg), away

    def credible_levels(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Probability of the ring about the middle that reaches each position."""
        off, _ = self._deviation(ra_deg, dec_deg)
        return np.asarray(erf(off / self.sigma_deg / np.sqrt(2.0)), dtype=np.float64)

    def densities_per_sr(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Probability per steradian at each position."""
        off, away = self._deviation(ra_deg, dec_deg)
        sigma = np.radians(self.sigma_deg)
        across = np.exp(-0.5 * (off / self.sigma_deg) ** 2) / np.sqrt(2.0 * np.pi) / sigma
        around = 2.0 * np.pi * np.maximum(np.sin(np.radians(away)), 1e-9)
        return np.asarray(across / around, dtype=np.float64)

    def _ring_area_deg2(self, half_width_deg: FloatArray) -> FloatArray:
        inner = np.radians(np.maximum(self.radius_deg - half_width_deg, 0.0))
        outer = np.radians(np.minimum(self.radius_deg + half_width_deg, 180.0))
        return np.asarray(
            2.0 * np.pi * (np.cos(inner) - np.cos(outer)) * SQUARE_DEGREES_PER_STERADIAN
        )

    def searched_areas_deg2(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Area of the ring that reaches each position, square degrees."""
        return self._ring_area_deg2(self._deviation(ra_deg, dec_deg)[0])

    def searched_area_deg2(self, credible_level: float) -> float:
        """Area of the ring with this credible level, square degrees."""
        half = np.sqrt(2.0) * self.sigma_deg * erfinv(min(credible_level, 1 - 1e-12))
        return float(self._ring_area_deg2(np.asarray(half)))

    def cap(self, credible_level: float) -> Cap:
        """The circle about the ring of this credible level."""
        half = np.sqrt(2.0) * self.sigma_deg * float(erfinv(min(credible_level, 1 - 1e-12)))
        return Cap(self.ra_deg, self.dec_deg, float(min(180.0, self.radius_deg + half)))

    def cell_limits_deg(
        self, ra_deg: FloatArray, dec_deg: FloatArray, slack_deg: float
    ) -> FloatArray:
        """How large a cell may be there when compiled to a map: see ``compiled``."""
        off = self._deviation(ra_deg, dec_deg)[0] - slack_deg
        return np.where(off > 5.0 * self.sigma_deg, np.inf, self.sigma_deg / CELLS_PER_SIGMA)
