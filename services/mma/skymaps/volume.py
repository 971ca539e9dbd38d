"""Credible volumes: how much of a 3-D posterior is denser than a place in it.

Along a line of sight the density per Mpc^3 is PROBDENSITY * DISTNORM * N(r; mu, sigma): a
Gaussian in r, so the part of a cell denser than a threshold is an interval about mu and its
probability a closed form. Nothing is put on a grid, as ligo.skymap's ``crossmatch`` does
(``searched_prob_vol``, same definition, Singer et al. 2016, ApJL 829, L15).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from services.mma.skymaps.base import CellArray, FloatArray
from services.mma.skymaps.multi_order import MultiOrderMap

MAX_EXACT_POSITIONS = 1000
"""Beyond, levels are interpolated in a table of as many densities (error below 1e-4)."""
_TABLE_ROWS = 4000
_STREAM_TABLE_ROWS = 256
_ROOT_2 = math.sqrt(2.0)
_LOG_ROOT_2_PI = 0.5 * math.log(2.0 * math.pi)


def log_volume_density(
    sky_map: MultiOrderMap, row: npt.NDArray[np.intp], distance_mpc: FloatArray
) -> FloatArray:
    """Natural logarithm of the probability per Mpc^3.

    Parameters
    ----------
    sky_map
        A map with distance layers.
    row
        Rows of the map, shape (n,); -1 is outside.
    distance_mpc
        Luminosity distances, Mpc, shape (n,).

    Returns
    -------
    Shape (n,); minus infinity outside the map, where the row says no distance, and at
    distances that are not positive; NaN where the distance is NaN.
    """
    layers = sky_map.layers
    if layers is None:
        return np.full(len(row), np.nan)
    at = layers.rows(row)
    deviation = (distance_mpc - at.mu_mpc) / at.sigma_mpc
    with np.errstate(divide="ignore"):
        density = np.log(sky_map.density_per_sr[row]) + np.log(at.norm_per_mpc2)
    density = density - np.log(at.sigma_mpc) - _LOG_ROOT_2_PI - 0.5 * deviation**2
    nowhere = (row < 0) | (distance_mpc <= 0)
    return np.where(nowhere, -np.inf, density)


def volume_levels(
    sky_map: MultiOrderMap, healpix29: CellArray, distance_mpc: FloatArray
) -> FloatArray:
    """Probability of the smallest credible volume that holds each place.

    Parameters
    ----------
    sky_map
        The map; without distance layers every level is NaN.
    healpix29
        Nested order-29 cells of the positions, shape (n,).
    distance_mpc
        Their luminosity distances, Mpc, shape (n,); NaN where unknown.

    Returns
    -------
    Levels in [0, 1], shape (n,); NaN where there is no distance. Where the density is zero: the
    probability of all rows that have a distance, 1 if all have.
    """
    if sky_map.layers is None:
        return np.full(len(healpix29), np.nan)
    density = log_volume_density(sky_map, sky_map.rows(healpix29), distance_mpc)
    levels = np.where(np.isnan(density), np.nan, _whole_level(sky_map))
    wanted = np.isfinite(density)
    asked = density[wanted]
    if len(asked) > MAX_EXACT_POSITIONS:
        table = np.linspace(asked.min(), asked.max(), _TABLE_ROWS)
        levels[wanted] = np.interp(asked, table, _levels(sky_map, table))
    elif len(asked):
        levels[wanted] = _levels(sky_map, asked)
    return levels


def volume_levels_by_table(
    sky_map: MultiOrderMap, healpix29: CellArray, distance_mpc: FloatArray
) -> FloatArray:
    """As ``volume_levels``, to 1e-3 and in microseconds: for the stream.

    The first call for a map makes its table, which takes a quarter of a second.
    """
    if sky_map.layers is None or np.isnan(distance_mpc).all():
        return np.full(len(healpix29), np.nan)
    density = log_volume_density(sky_map, sky_map.rows(healpix29), distance_mpc)
    at, levels = _table(sky_map)
    return np.where(np.isnan(density), np.nan, np.interp(density, at, levels, left=levels[0]))


@lru_cache(maxsize=256)
def _table(sky_map: MultiOrderMap) -> tuple[FloatArray, FloatArray]:
    """Log densities, rising, from where all but e^-25 of the peak lies, and their levels."""
    peak, *_ = _densest_first(sky_map)
    if not len(peak):
        return np.array([0.0, 1.0]), np.array([1.0, 1.0])
    at = np.linspace(peak[0] - 25.0, peak[0], _STREAM_TABLE_ROWS)
    return at, _levels(sky_map, at)


@lru_cache(maxsize=256)
def _whole_level(sky_map: MultiOrderMap) -> float:
    """Probability of the rows that have a distance; less than 1 if some have none."""
    peak, *_ = _densest_first(sky_map)
    if not len(peak):
        return 1.0
    # Forty sigma below the peak of the faintest row nothing is left.
    return float(_levels(sky_map, np.array([peak[-1] - 800.0]))[0])


@lru_cache(maxsize=16)
def _densest_first(
    sky_map: MultiOrderMap,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Log of each row's peak density, its weight, mu and sigma; the densest row first."""
    layers = sky_map.layers
    assert layers is not None  # noqa: S101 - callers have looked
    with np.errstate(divide="ignore"):
        peak = (
            np.log(sky_map.density_per_sr)
            + np.log(layers.norm_per_mpc2)
            - np.log(layers.sigma_mpc)
            - _LOG_ROOT_2_PI
        )
    densest_first = np.argsort(-peak, kind="stable")
    kept = densest_first[np.isfinite(peak[densest_first])]
    weight = (sky_map.density_per_sr * sky_map.area_sr * layers.norm_per_mpc2)[kept]
    return peak[kept], weight, layers.mu_mpc[kept], layers.sigma_mpc[kept]


def _levels(sky_map: MultiOrderMap, log_density: FloatArray) -> FloatArray:
    levels = np.empty(len(log_density))
    _fill_levels(log_density, *_densest_first(sky_map), levels)
    return np.clip(levels, 0.0, 1.0)


@njit(cache=True, nogil=True)
def _fill_levels(
    log_density: Any, peak: Any, weight: Any, mu: Any, sigma: Any, levels: Any
) -> None:
    """Rows come densest first, so that a threshold stops at the first row below it."""
    for i in range(len(log_density)):
        total = 0.0
        for row in range(len(peak)):
            above = peak[row] - log_density[i]
            if above < 0.0:
                break
            half = math.sqrt(2.0 * above)
            low = max(-half, -mu[row] / sigma[row])
            if low < half:
                total += weight[row] * second_moment(low, half, mu[row], sigma[row])
        levels[i] = total


@njit(cache=True, nogil=True)
def second_moment(low: float, high: float, mu: float, sigma: float) -> float:
    """Integral of r^2 N(r; mu, sigma), r = mu + sigma t, over t from low to high."""
    gauss_low = math.exp(-0.5 * low * low) / 2.5066282746310002
    gauss_high = math.exp(-0.5 * high * high) / 2.5066282746310002
    if low > 0.0:
        # In the far tail the difference of two erf near one would be noise.
        held = 0.5 * (math.erfc(low / _ROOT_2) - math.erfc(high / _ROOT_2))
    else:
        held = 0.5 * (math.erf(high / _ROOT_2) - math.erf(low / _ROOT_2))
    return (
        (mu * mu + sigma * sigma) * held
        - sigma * sigma * (high * gauss_high - low * gauss_low)
        - 2.0 * mu * sigma * (gauss_high - gauss_low)
    )
