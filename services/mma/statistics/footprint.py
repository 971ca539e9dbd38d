"""Where and when a survey looked, and how many new transients it found there.

A night's alerts show where it looked: the cells from which any came. What a region holds by
chance is counted over those cells alone, each with its own density: a burst of 10,000 square
degrees of which a tenth was observed has a tenth of the candidates, and the Galactic plane more
than its poles.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from services.mma.skymaps.base import CellArray, FloatArray, Region
from services.mma.skymaps.compiled import cell_centres_deg
from shared.sky.healpix import DEEPEST_ORDER, coarser

CELL_ORDER = 4
CELLS = 12 << (2 * CELL_ORDER)
CELL_DEG2 = 41_252.961_249_419_27 / CELLS
PRIOR_OBJECTS = 4.0
"""A cell's own count is drawn towards the mean as if four objects more had been seen at it."""
_SAMPLE_ORDER = 6
_SAMPLE_DEG2 = 41_252.961_249_419_27 / (12 << (2 * _SAMPLE_ORDER))
FEWEST_SAMPLES = 30
"""Below, a region (of some 25 square degrees) is taken as of one density."""


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """``k`` nights of a survey; never changes."""

    nights: npt.NDArray[np.int64]
    """Shape (k,): MJD, days."""
    observed: npt.NDArray[np.bool_]
    """Shape (k, CELLS): whether any alert came from there."""
    new_objects: npt.NDArray[np.int64]
    """Shape (k, CELLS)."""

    def density_per_deg2_night(self) -> FloatArray:
        """New transients a night per square degree of every cell, shape (CELLS,).

        Its count drawn towards the mean of all cells (a Gamma prior on the rate).
        """
        nights, objects = self.observed.sum(axis=0), self.new_objects.sum(axis=0)
        mean = max(1, objects.sum()) / max(1, nights.sum())
        counted = (objects + PRIOR_OBJECTS) / (nights + PRIOR_OBJECTS / mean)
        return np.asarray(counted / CELL_DEG2, dtype=np.float64)

    def nights_observed(self, start_mjd_tai: float, end_mjd_tai: float) -> FloatArray:
        """Nights of a window on which each cell was observed, shape (CELLS,).

        Of a window without any, one night as observed as the average is.
        """
        inside = (start_mjd_tai < self.nights + 1) & (self.nights < end_mjd_tai)
        if not inside.any():
            return np.asarray(self.observed.any(axis=0), dtype=np.float64)
        return np.asarray(self.observed[inside].sum(axis=0), dtype=np.float64)

    def expected_counts(
        self,
        region: Region,
        window_mjd_tai: tuple[float, float],
        credible_levels: FloatArray,
        searched_areas_deg2: FloatArray,
        healpix29: CellArray,
    ) -> FloatArray:
        """Unrelated new transients expected at least as credible as each candidate, shape (m,).

        Parameters
        ----------
        region
            Of the event.
        window_mjd_tai
            First and last moment of a candidate's first detection.
        credible_levels, searched_areas_deg2
            Of the candidates, shape (m,).
        healpix29
            Their cells of order 29, shape (m,).
        """
        # Regions are frozen dataclasses, or compare by identity.
        levels, counts = _counts_by_level(self, cast(Hashable, region), *window_mjd_tai)
        below = np.searchsorted(levels, credible_levels, side="right")
        rates = _rates(self, *window_mjd_tai)
        here = rates[coarser(healpix29, CELL_ORDER)]
        # The candidate itself was observed, if not in a night that is counted.
        here = np.where(here > 0, here, self.density_per_deg2_night().mean())
        return np.where(below >= FEWEST_SAMPLES, counts[below], here * searched_areas_deg2)


@lru_cache(maxsize=512)
def _rates(footprint: Footprint, start_mjd_tai: float, end_mjd_tai: float) -> FloatArray:
    """New transients per square degree of every cell in a window, shape (CELLS,)."""
    nights = footprint.nights_observed(start_mjd_tai, end_mjd_tai)
    return np.asarray(footprint.density_per_deg2_night() * nights, dtype=np.float64)


@lru_cache(maxsize=512)
def _counts_by_level(
    footprint: Footprint, region: Hashable, start_mjd_tai: float, end_mjd_tai: float
) -> tuple[FloatArray, FloatArray]:
    """Credible levels of sampled places, rising, and the count up to each, which begins with 0."""
    rates = _rates(footprint, start_mjd_tai, end_mjd_tai)
    cells = np.flatnonzero(rates > 0).astype(np.int64)
    per_cell = 1 << (2 * (_SAMPLE_ORDER - CELL_ORDER))
    samples = (cells[:, None] * per_cell + np.arange(per_cell)).ravel()
    ra_deg, dec_deg = cell_centres_deg(samples, _SAMPLE_ORDER)
    # The deep cell in the middle of the sample's cell.
    shift = 2 * (DEEPEST_ORDER - _SAMPLE_ORDER)
    deep = (samples << shift) + (np.int64(3) << (shift - 2))
    levels = cast(Region, region).credible_levels(ra_deg, dec_deg, deep)
    order = np.argsort(levels, kind="stable")
    held = np.repeat(rates[cells], per_cell)[order] * _SAMPLE_DEG2
    return levels[order], np.concatenate([[0.0], np.cumsum(held)])
