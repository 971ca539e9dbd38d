"""What every region of the sky can answer, whatever its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
CellArray = npt.NDArray[np.int64]


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

    def searched_area_deg2(self, credible_level: float) -> float:
        """Area of the smallest region of this credible level, square degrees."""
        ...

    def cap(self, credible_level: float) -> Cap:
        """A cap around everything up to this credible level."""
        ...
