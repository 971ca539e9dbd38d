"""Distances from redshifts in the flat cosmology of Planck 2018, by interpolation in a table.

H0 = 67.66 km/s/Mpc, Omega_m = 0.30966, T_cmb = 2.7255 K (Planck Collaboration 2020, A&A 641, A6,
table 2, last column), one neutrino of 0.06 eV: within 0.1 % of astropy's ``Planck18`` to z = 10.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

HUBBLE_KM_S_MPC = 67.66
OMEGA_MATTER = 0.30966 + 0.00141
"""Baryons and dark matter, and the massive neutrino, which is slow at these redshifts."""
OMEGA_RADIATION = 7.9e-5
"""Photons and two massless neutrinos, for this Hubble constant."""
LIGHT_KM_S = 299_792.458

LEAST_REDSHIFT = 0.002
"""Below it peculiar velocities (300 km/s) spoil the distance by half and more."""
MOST_REDSHIFT = 20.0
ARCSEC_PER_RADIAN = 648_000.0 / np.pi

Floats = npt.NDArray[np.float64]


@cache
def _table() -> tuple[Floats, Floats]:
    """Redshifts, dense where near, and their luminosity distances in Mpc."""
    redshift = np.expm1(np.linspace(0.0, np.log1p(MOST_REDSHIFT), 8_193))
    grown = 1.0 + redshift
    inverse = 1.0 / np.sqrt(
        OMEGA_MATTER * grown**3
        + OMEGA_RADIATION * grown**4
        + (1.0 - OMEGA_MATTER - OMEGA_RADIATION)
    )
    steps = 0.5 * (inverse[1:] + inverse[:-1]) * np.diff(redshift)
    comoving = np.concatenate([[0.0], np.cumsum(steps)]) * LIGHT_KM_S / HUBBLE_KM_S_MPC
    return redshift, comoving * grown


def luminosity_distance_mpc(redshift: npt.ArrayLike) -> Floats:
    """Luminosity distance in Mpc; NaN where the redshift is NaN, below 0.002 or above 20."""
    z = np.asarray(redshift, dtype=np.float64)
    at, distance = _table()
    usable = (z >= LEAST_REDSHIFT) & (z <= MOST_REDSHIFT)
    return np.where(usable, np.interp(z, at, distance), np.nan)


def kpc_per_arcsec(distance_mpc: npt.ArrayLike, redshift: npt.ArrayLike) -> Floats:
    """Projected kiloparsecs per arcsecond at a luminosity distance.

    An unknown redshift is taken as 0: a catalog that gives a distance and no redshift is one of
    nearby galaxies.
    """
    grown = 1.0 + np.nan_to_num(np.asarray(redshift, dtype=np.float64), nan=0.0)
    angular_mpc = np.asarray(distance_mpc, dtype=np.float64) / grown**2
    return np.asarray(angular_mpc * 1_000.0 / ARCSEC_PER_RADIAN, dtype=np.float64)
