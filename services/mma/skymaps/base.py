"""What every region of the sky can answer, whatever its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
CellArray = npt.NDArray[np.int64]

CELLS_PER_SIGMA = 8.0
CELLS_PER_RADIUS = 24.0
"""Fineness of an analytic region compiled to a map: its areas are then right to 1e-3."""
NEARLY_ALL = 1.0 - 1e-7


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap that surely holds every position up to some credible level."""

    ra_deg: float
    dec_deg: float
    radius_deg: float
    """180 for the whole sphere."""


class Region(Protocol):
    """A probability density on the sphere."""

    def credible_levels(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Credible level of positions.

        Parameters
        ----------
        ra_deg, dec_deg
            ICRS, degrees, shape (n,).
        healpix29
            Their nested HEALPix cells of order 29, shape (n,).

        Returns
        -------
        Probability of the smallest credible region that holds each, in [0, 1], shape (n,);
        1 where the region says the density is zero.
        """
        ...

    def densities_per_sr(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Probability per steradian at positions, as ``credible_levels`` takes them."""
        ...

    def searched_areas_deg2(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Area that is at least as dense as each position, square degrees, shape (n,)."""
        ...

    def searched_area_deg2(self, credible_level: float) -> float:
        """Area of the smallest region of this credible level, square degrees."""
        ...

    def cap(self, credible_level: float) -> Cap:
        """A cap around everything up to this credible level."""
        ...


class AnalyticRegion(Region, Protocol):
    """A region given by a formula, which ``compiled`` can turn into a multi-order map."""

    def cell_limits_deg(
        self, ra_deg: FloatArray, dec_deg: FloatArray, slack_deg: float
    ) -> FloatArray:
        """Largest radius that a cell centred there may have, degrees, shape (n,).

        ``slack_deg`` is the radius of the cells asked about: the density may peak anywhere
        within it. Infinite where the density is negligible all over the cell.
        """
        ...
