"""Sky maps, multi-order or flat, compiled to sorted ranges of order-29 cells.

A position is found by one binary search. The credible level of a cell is the probability of
all cells at least as dense (inclusive, stable order), which is what ligo.skymap's
``crossmatch`` calls ``searched_prob``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from services.mma.skymaps.base import Cap, CellArray, FloatArray
from shared.errors import RejectedRecordError
from shared.sky.healpix import DEEPEST_ORDER
from shared.sky.separation import separation_arcsec

SQUARE_DEGREES_ON_SPHERE = 360.0**2 / np.pi
SQUARE_DEGREES_PER_STERADIAN = (180.0 / np.pi) ** 2
CELL29_SR = 4.0 * np.pi / (12 << (2 * DEEPEST_ORDER))
NORMALISATION_TOLERANCE = 0.01
"""A map whose sum is farther from one is refused; within, it is normalised."""


@dataclass(frozen=True, slots=True)
class DistanceLayers:
    """Distance along each line of sight: p(r) = norm N(r; mu, sigma) r^2 (Singer et al. 2016).

    Rows without a distance have norm 0, mu 0 and sigma 1.
    """

    mu_mpc: FloatArray
    """Shape (n,): location (DISTMU), Mpc; may be negative."""
    sigma_mpc: FloatArray
    """Shape (n,): scale (DISTSIGMA), Mpc, above zero."""
    norm_per_mpc2: FloatArray
    """Shape (n,): normalisation (DISTNORM), Mpc^-2."""

    @classmethod
    def of(cls, mu: FloatArray, sigma: FloatArray, norm: FloatArray) -> DistanceLayers:
        """Layers as a file gives them: rows that are not finite or not positive say nothing."""
        good = np.isfinite(mu) & np.isfinite(sigma) & np.isfinite(norm) & (sigma > 0) & (norm > 0)
        return cls(np.where(good, mu, 0.0), np.where(good, sigma, 1.0), np.where(good, norm, 0.0))

    def rows(self, row: npt.NDArray[np.intp]) -> DistanceLayers:
        """The same of some rows, in their order."""
        return DistanceLayers(self.mu_mpc[row], self.sigma_mpc[row], self.norm_per_mpc2[row])


@dataclass(frozen=True, slots=True, eq=False)
class MultiOrderMap:
    """``n`` disjoint cells in order of position; build it with ``compile_map``."""

    first: npt.NDArray[np.int64]
    """Shape (n,): first order-29 cell of each."""
    end: npt.NDArray[np.int64]
    """Shape (n,): one past the last order-29 cell."""
    density_per_sr: FloatArray
    """Shape (n,): probability per steradian."""
    credible_level: FloatArray
    """Shape (n,): in [0, 1]."""
    level_steps: FloatArray
    """Shape (n+1,): 0, then the credible levels in rising order, the densest cell first."""
    area_steps_deg2: FloatArray
    """Shape (n+1,): area up to each of ``level_steps``, square degrees."""
    rank: npt.NDArray[np.int32]
    """Shape (n,): how many cells are denser, ties in order of position."""
    sum_as_given: float
    """Integral before it was normalised to one."""
    distance_mpc: float | None = None
    distance_err_mpc: float | None = None
    layers: DistanceLayers | None = None
    """Distances of every cell; None for a map without them."""
    remarks: tuple[str, ...] = ()
    """What was repaired when it was read."""

    @property
    def area_sr(self) -> FloatArray:
        """Solid angle of each cell, steradians, shape (n,)."""
        return np.asarray((self.end - self.first) * CELL29_SR, dtype=np.float64)

    def rows(self, healpix29: CellArray) -> npt.NDArray[np.intp]:
        """Row of each order-29 cell, shape (n,); -1 where the map has none."""
        row = np.searchsorted(self.first, healpix29, side="right") - 1
        return np.where((row >= 0) & (healpix29 < self.end[row]), row, -1)

    def credible_levels(
        self,
        ra_deg: FloatArray,
        dec_deg: FloatArray,
        healpix29: CellArray,
    ) -> FloatArray:
        """Credible level at each cell; 1 outside the map and where the density is zero."""
        row = self.rows(healpix29)
        return np.where(row >= 0, self.credible_level[row], 1.0)

    def densities_per_sr(
        self,
        ra_deg: FloatArray,
        dec_deg: FloatArray,
        healpix29: CellArray,
    ) -> FloatArray:
        """Probability per steradian at each cell, 0 outside the map."""
        row = self.rows(healpix29)
        return np.where(row >= 0, self.density_per_sr[row], 0.0)

    def searched_area_deg2(self, credible_level: float) -> float:
        """Area of the smallest region with this credible level, interpolated between cells."""
        return float(np.interp(credible_level, self.level_steps, self.area_steps_deg2))

    def searched_areas_deg2(
        self,
        ra_deg: FloatArray,
        dec_deg: FloatArray,
        healpix29: CellArray,
    ) -> FloatArray:
        """Area of all cells at least as dense as the one at each position, shape (n,).

        The whole sphere outside the map and where the density is zero.
        """
        row = self.rows(healpix29)
        is_there = (row >= 0) & (self.density_per_sr[row] > 0)
        # By rank, not by level: the faintest cells no longer change the sum in 64 bits.
        area = self.area_steps_deg2[self.rank[row] + 1]
        return np.where(is_there, area, SQUARE_DEGREES_ON_SPHERE)

    def cap(self, credible_level: float) -> Cap:
        """The whole sphere."""
        return Cap(0.0, 0.0, 180.0)

    def centres_deg(self) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination of every cell's centre, ICRS, degrees, shape (n,)."""
        from cdshealpix.nested import healpix_to_lonlat  # noqa: PLC0415 - only notices need it

        # Widths are powers of four, of which frexp is exact.
        width = (self.end - self.first).astype(np.float64)
        shift = (np.frexp(width)[1].astype(np.int64) - 1) // 2
        lon, lat = healpix_to_lonlat(
            (self.first >> (2 * shift)).astype(np.uint64), (DEEPEST_ORDER - shift).astype(np.uint8)
        )
        return np.asarray(lon.deg) % 360.0, np.asarray(lat.deg)

    def mode(self) -> tuple[float, float]:
        """Centre of the densest cell: right ascension and declination, ICRS, degrees."""
        row = int(np.argmax(self.density_per_sr))
        ra_deg, dec_deg = self.centres_deg()
        return float(ra_deg[row]), float(dec_deg[row])

    def radius_about_mode_deg(self, containment: float) -> float:
        """Radius of the circle about the mode that holds this probability, degrees."""
        ra_deg, dec_deg = self.centres_deg()
        separation = separation_arcsec(*self.mode(), ra_deg, dec_deg) / 3600.0
        outward = np.argsort(separation)
        probability = self.density_per_sr * (self.end - self.first)
        held = np.cumsum(probability[outward]) / probability.sum()
        return float(separation[outward][np.searchsorted(held, containment)])


def compile_map(
    order: npt.NDArray[np.int64],
    cell: npt.NDArray[np.int64],
    density_per_sr: FloatArray,
    distance_mpc: float | None = None,
    distance_err_mpc: float | None = None,
    layers: DistanceLayers | None = None,
) -> MultiOrderMap:
    """Sort, normalise and rank the cells of a map.

    Parameters
    ----------
    order, cell
        HEALPix order (0 to 29) and nested cell number of each row, shape (n,).
    density_per_sr
        Probability per steradian, shape (n,); NaN and negative rows are refused.
    distance_mpc, distance_err_mpc
        Posterior mean and standard deviation of the luminosity distance, if the map says.
    layers
        Distances of the rows, if the map has them.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``: no rows, cells that overlap or do not exist, densities that are not
        finite and positive, or a sum farther than 1 % from one.
    """
    if len(cell) == 0:
        raise RejectedRecordError("bad_sky_map", "the map has no cells")
    if order.min() < 0 or order.max() > DEEPEST_ORDER or np.any(cell < 0):
        raise RejectedRecordError("bad_sky_map", "HEALPix orders must be 0 to 29, cells positive")
    if not np.all(np.isfinite(density_per_sr)) or density_per_sr.min() < 0:
        raise RejectedRecordError("bad_sky_map", "probability density is negative or not finite")
    if np.any(cell >= 12 << (2 * order)):
        raise RejectedRecordError("bad_sky_map", "a cell number is too large for its order")
    shift = 2 * (DEEPEST_ORDER - order)
    first = cell << shift
    end = first + (np.int64(1) << shift)
    return compile_ranges(first, end, density_per_sr, distance_mpc, distance_err_mpc, layers)


def compile_ranges(
    first: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    density_per_sr: FloatArray,
    distance_mpc: float | None = None,
    distance_err_mpc: float | None = None,
    layers: DistanceLayers | None = None,
) -> MultiOrderMap:
    """As ``compile_map``, for ranges of order-29 cells: ``first`` to before ``end``.

    A range of the product of two maps need not be one HEALPix cell.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``: ranges that overlap, or a sum farther than 1 % from one.
    """
    by_place = np.argsort(first, kind="stable")
    first, end = first[by_place], end[by_place]
    density = np.asarray(density_per_sr, dtype=np.float64)[by_place]
    if np.any(first[1:] < end[:-1]):
        raise RejectedRecordError("bad_sky_map", "cells overlap")
    area_sr = np.asarray((end - first) * CELL29_SR, dtype=np.float64)
    total = float(np.sum(density * area_sr))
    if abs(total - 1.0) > NORMALISATION_TOLERANCE:
        raise RejectedRecordError("bad_sky_map", f"the map's sum is {total:.6g}, not 1 within 1 %")
    ranked = _ranked(first, end, density / total, area_sr, total)
    return replace(
        ranked,
        distance_mpc=distance_mpc,
        distance_err_mpc=distance_err_mpc,
        layers=None if layers is None else layers.rows(by_place),
    )


def _ranked(
    first: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    density: FloatArray,
    area_sr: FloatArray,
    total: float,
) -> MultiOrderMap:
    densest_first = np.argsort(-density, kind="stable")
    steps = np.minimum(np.cumsum((density * area_sr)[densest_first]), 1.0)
    credible_level = np.empty_like(density)
    credible_level[densest_first] = steps
    rank = np.empty(len(density), dtype=np.int32)
    rank[densest_first] = np.arange(len(density), dtype=np.int32)
    return MultiOrderMap(
        first=first,
        end=end,
        density_per_sr=density,
        credible_level=np.where(density > 0, credible_level, 1.0),
        level_steps=np.concatenate(([0.0], steps)),
        area_steps_deg2=np.concatenate(
            ([0.0], np.cumsum(area_sr[densest_first]) * SQUARE_DEGREES_PER_STERADIAN)
        ),
        rank=rank,
        sum_as_given=total,
    )
