"""Redshift and distance: flat LambdaCDM, H0 = 70 km/s/Mpc, matter 0.3."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_HUBBLE_DISTANCE_MPC = 299_792.458 / 70.0
_REDSHIFTS = np.linspace(0.0, 2.0, 4001)
_INVERSE_E = 1.0 / np.sqrt(0.3 * (1.0 + _REDSHIFTS) ** 3 + 0.7)
_STEP = _REDSHIFTS[1] - _REDSHIFTS[0]
_COMOVING_MPC = _HUBBLE_DISTANCE_MPC * np.concatenate(
    [[0.0], np.cumsum((_INVERSE_E[1:] + _INVERSE_E[:-1]) / 2.0 * _STEP)]
)
_LUMINOSITY_MPC = _COMOVING_MPC * (1.0 + _REDSHIFTS)


def luminosity_distance_mpc(redshift: npt.ArrayLike) -> FloatArray:
    """Luminosity distance in megaparsecs of redshifts in [0, 2], same shape."""
    return np.interp(np.asarray(redshift, dtype=np.float64), _REDSHIFTS, _LUMINOSITY_MPC)


def redshift_of_mpc(distance_mpc: npt.ArrayLike) -> FloatArray:
    """Redshift of a luminosity distance in megaparsecs, same shape."""
    return np.interp(np.asarray(distance_mpc, dtype=np.float64), _LUMINOSITY_MPC, _REDSHIFTS)


def distance_modulus_mag(redshift: npt.ArrayLike) -> FloatArray:
    """``m - M`` without K correction, magnitudes."""
    distance = np.maximum(luminosity_distance_mpc(redshift), 1e-3)
    return np.asarray(5.0 * np.log10(distance) + 25.0, dtype=np.float64)


def draw_redshifts(rng: np.random.Generator, n: int, max_redshift: float) -> FloatArray:
    """Redshifts of events at a constant rate per comoving volume and proper time, shape (n,)."""
    grid = np.linspace(0.002, max_redshift, 800)
    comoving = np.interp(grid, _REDSHIFTS, _COMOVING_MPC)
    density = comoving**2 * np.interp(grid, _REDSHIFTS, _INVERSE_E) / (1.0 + grid)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2.0)])
    return np.interp(rng.random(n), cumulative / cumulative[-1], grid)
