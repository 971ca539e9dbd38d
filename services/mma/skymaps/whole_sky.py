"""The whole sky, evenly: an event that is known to be, but not where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.mma.skymaps.base import Cap, CellArray, FloatArray
from services.mma.skymaps.multi_order import SQUARE_DEGREES_ON_SPHERE


@dataclass(frozen=True, slots=True)
class WholeSky:
    """No place is likelier than another, so each has the middle rank: level 0.5, half the sky."""

    def credible_levels(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """0.5 everywhere."""
        return np.full(len(ra_deg), 0.5)

    def densities_per_sr(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """1 / (4 pi) everywhere."""
        return np.full(len(ra_deg), 0.25 / np.pi)

    def searched_areas_deg2(
        self, ra_deg: FloatArray, dec_deg: FloatArray, healpix29: CellArray
    ) -> FloatArray:
        """Half the sphere everywhere."""
        return np.full(len(ra_deg), 0.5 * SQUARE_DEGREES_ON_SPHERE)

    def searched_area_deg2(self, credible_level: float) -> float:
        """As large a share of the sphere, square degrees."""
        return float(credible_level * SQUARE_DEGREES_ON_SPHERE)

    def cap(self, credible_level: float) -> Cap:
        """The whole sphere."""
        return Cap(0.0, 0.0, 180.0)

    def cell_limits_deg(
        self, ra_deg: FloatArray, dec_deg: FloatArray, slack_deg: float
    ) -> FloatArray:
        """Cells may be as large as they are."""
        return np.full(len(ra_deg), np.inf)
