"""Error circles: mixtures of Fisher (von Mises-Fisher) densities about one centre.

One component for a circle with a containment, two (core and tail) for Fermi GBM.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq

from services.mma.skymaps.base import (
    CELLS_PER_RADIUS,
    CELLS_PER_SIGMA,
    NEARLY_ALL,
    Cap,
    CellArray,
    FloatArray,
)
from shared.sky.separation import separation_arcsec, unit_vectors

SQUARE_DEGREES_PER_STERADIAN = (180.0 / np.pi) ** 2
OPTICAL_ASTROMETRY_DEG = 0.3 / 3600.0
"""One-sigma floor added in quadrature: two catalogs agree no better (arcsecond circles)."""
_POINT_RADIUS = 1e-12
"""Radians; the floor is a million times as large."""
KAPPA_SIGMA2 = 0.4356
"""kappa = 1 / (0.4356 sigma^2) puts 68.3 % inside sigma: Connaughton et al. 2015, eq. 2."""


@dataclass(frozen=True, slots=True)
class FisherMixture:
    """Sum of Fisher densities about one centre; the weights add up to one."""

    ra_deg: float
    dec_deg: float
    weights: tuple[float, ...]
    kappas: tuple[float, ...]

    def credible_levels(
        self,
        ra_deg: FloatArray,
        dec_deg: FloatArray,
        healpix29: CellArray,
    ) -> FloatArray:
        """Probability inside the circle about the centre that passes through each position."""
        chord = unit_vectors(ra_deg, dec_deg) - unit_vectors(self.ra_deg, self.dec_deg)
        return self.enclosed(0.5 * np.einsum("ij,ij->i", chord, chord))

    def densities_per_sr(
        self,
        ra_deg: FloatArray,
        dec_deg: FloatArray,
        healpix29: CellArray,
    ) -> FloatArray:
        """Probability per steradian at each position."""
        chord = unit_vectors(ra_deg, dec_deg) - unit_vectors(self.ra_deg, self.dec_deg)
        one_minus_cos = 0.5 * np.einsum("ij,ij->i", chord, chord)
        total = np.zeros(len(one_minus_cos))
        for weight, kappa in zip(self.weights, self.kappas, strict=True):
            peak = -kappa / (2.0 * np.pi * np.expm1(-2.0 * kappa))
            total += weight * peak * np.exp(-kappa * one_minus_cos)
        return total

    def searched_areas_deg2(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Area of the circle about the centre through each position, square degrees."""
        chord = unit_vectors(ra_deg, dec_deg) - unit_vectors(self.ra_deg, self.dec_deg)
        half_chord2 = np.einsum("ij,ij->i", chord, chord)
        return np.asarray(np.pi * half_chord2 * SQUARE_DEGREES_PER_STERADIAN, dtype=np.float64)

    def cell_limits_deg(
        self, ra_deg: FloatArray, dec_deg: FloatArray, slack_deg: float
    ) -> FloatArray:
        """How large a cell may be there when compiled to a map: see ``compiled``."""
        away = separation_arcsec(self.ra_deg, self.dec_deg, ra_deg, dec_deg) / 3600.0 - slack_deg
        narrowest = np.degrees(1.0 / np.sqrt(max(self.kappas)))
        limits = np.maximum(narrowest / CELLS_PER_SIGMA, away / CELLS_PER_RADIUS)
        limits[away > self.radius_deg(NEARLY_ALL)] = np.inf
        return np.asarray(limits, dtype=np.float64)

    def enclosed(self, one_minus_cos: FloatArray) -> FloatArray:
        """Probability within angles given as 1 - cos(angle), exact for arcseconds too."""
        return _enclosed(self.weights, self.kappas, one_minus_cos)

    def radius_deg(self, containment: float) -> float:
        """Radius of the circle with this containment, degrees."""
        return _radius_deg(self.weights, self.kappas, containment)

    def searched_area_deg2(self, credible_level: float) -> float:
        """Area of the cap with this containment, square degrees."""
        radius = np.radians(self.radius_deg(credible_level))
        return float(4.0 * np.pi * np.sin(radius / 2.0) ** 2 * SQUARE_DEGREES_PER_STERADIAN)

    def cap(self, credible_level: float) -> Cap:
        """The circle of this credible level itself."""
        return Cap(self.ra_deg, self.dec_deg, self.radius_deg(credible_level))


def error_circle(
    ra_deg: float,
    dec_deg: float,
    radius_deg: float,
    containment: float,
    systematics: tuple[tuple[float, float], ...] = (),
) -> FisherMixture:
    """Circle that holds the fraction ``containment`` within ``radius_deg``.

    Parameters
    ----------
    ra_deg, dec_deg
        Centre, ICRS, degrees.
    radius_deg
        Degrees; statistical only if ``systematics`` are given.
    containment
        Probability within the radius, in (0, 1): 0.9 for Swift and IceCube, 0.683 for GBM.
    systematics
        Fraction and 68 % radius (degrees) of each component of the systematic error; they
        are added in quadrature to the 68 % statistical radius.
    """
    if systematics:
        weights = tuple(fraction for fraction, _ in systematics)
        kappas = tuple(
            1.0 / (KAPPA_SIGMA2 * np.radians(np.hypot(radius_deg, systematic_deg)) ** 2)
            for _, systematic_deg in systematics
        )
        return FisherMixture(ra_deg, dec_deg, weights, kappas)
    radius = np.radians(radius_deg)
    # The square of a radius of 1e-160 is 0: a point, as far as numbers go.
    kappa = _kappa_of(radius, containment) if radius > _POINT_RADIUS else np.inf
    kappa = 1.0 / (1.0 / kappa + np.radians(OPTICAL_ASTROMETRY_DEG) ** 2)
    return FisherMixture(ra_deg, dec_deg, (1.0,), (float(kappa),))


def _enclosed(
    weights: tuple[float, ...], kappas: tuple[float, ...], one_minus_cos: FloatArray
) -> FloatArray:
    total = np.zeros_like(one_minus_cos)
    for weight, kappa in zip(weights, kappas, strict=True):
        total += weight * _fisher_cdf(kappa, one_minus_cos)
    return np.clip(total, 0.0, 1.0)


# Asked of every active event whenever one of them changes.
@lru_cache(maxsize=20_000)
def _radius_deg(weights: tuple[float, ...], kappas: tuple[float, ...], containment: float) -> float:
    def excess(one_minus_cos: float) -> float:
        return float(_enclosed(weights, kappas, np.array([one_minus_cos]))[0]) - containment

    if excess(2.0) <= 0:
        return 180.0
    crossing = brentq(excess, 0.0, 2.0, xtol=1e-18, rtol=1e-12)
    return float(np.degrees(2.0 * np.arcsin(np.sqrt(crossing / 2.0))))


def _fisher_cdf(kappa: float, one_minus_cos: FloatArray) -> FloatArray:
    """(1 - exp(-kappa (1 - cos))) / (1 - exp(-2 kappa))."""
    cdf: FloatArray = np.expm1(-kappa * one_minus_cos) / np.expm1(-2.0 * kappa)
    return cdf


def _kappa_of(radius: float, containment: float) -> float:
    """Concentration that puts ``containment`` within ``radius`` (radians)."""
    one_minus_cos = 2.0 * float(np.sin(radius / 2.0)) ** 2
    # Without the far side's term, right for every circle well below a hemisphere.
    kappa = -float(np.log1p(-containment)) / one_minus_cos
    if kappa > 50:
        return kappa
    nearly_flat = 1e-6
    if one_minus_cos / 2.0 >= containment:
        return nearly_flat

    def excess(trial: float) -> float:
        return float(_fisher_cdf(trial, np.array([one_minus_cos]))[0]) - containment

    return float(brentq(excess, nearly_flat, kappa + 1.0))
