"""Kilonovae: a cooling, fading black body scaled from AT2017gfo.

Drout et al. 2017, Science 358, 1570: bolometric 1e42 erg/s at half a day, falling as t^-0.85
until day 4 and faster after; temperature 11,000 K at half a day, 2,500 K from day 5.5 on.
Nobody saw the first hours: here it rises within four and is no hotter than 16,000 K.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.distances import luminosity_distance_mpc
from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky
from services.simulate.models.spectra import PLANCK_NM_K, rest_frame

_CM_PER_MPC = 3.0857e24
_STEFAN_BOLTZMANN = 5.6704e-5
"""erg / (s cm2 K4)"""
_TWO_H_OVER_C2 = 1.4745e-47
"""2h/c^2, erg s^3 / cm^2"""
_LIGHT_NM_PER_S = 2.99792458e17
_NJY_PER_CGS = 1e32


class Kilonova:
    """Mergers of neutron stars."""

    name = "kilonova"
    share = 0.003

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Mergers of the last six days, in galaxies nearer than 400 Mpc."""
        sources = sky.in_galaxies(n, min(0.09, sky.max_redshift))
        merger = sky.mjd - rng.uniform(0.1, 6.0, n)
        return Drawn(sources, self.parameters(rng, merger, sources.redshift))

    @staticmethod
    def parameters(
        rng: np.random.Generator, merger_mjd: FloatArray, redshift: FloatArray
    ) -> dict[str, FloatArray]:
        """Parameters of mergers at given times (TAI) and redshifts, energies drawn."""
        n = len(merger_mjd)
        return {
            "merger_mjd": merger_mjd,
            "redshift": redshift,
            "luminosity": 1e42 * 10.0 ** rng.normal(0.0, 0.15, n),
            "temperature": 11_000.0 * 10.0 ** rng.normal(0.0, 0.03, n),
        }

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """``F_nu = L pi B_nu(T) / (sigma T^4 4 pi d^2)``, K correction included."""
        z = parameters["redshift"]
        day, wavelength = rest_frame(mjd_tai, band, parameters["merger_mjd"], z)
        since = np.maximum(day, 0.02)
        late = np.maximum(since / 4.0, 1.0) ** -0.9
        early = np.minimum(since / 0.15, 1.0)
        luminosity = parameters["luminosity"] * (since / 0.5) ** -0.85 * late * early
        cooling = parameters["temperature"] * (since / 0.5) ** -0.6
        temperature = np.clip(cooling, 2_500.0, 16_000.0)
        frequency = _LIGHT_NM_PER_S / wavelength
        planck = _TWO_H_OVER_C2 * frequency**3 / np.expm1(PLANCK_NM_K / (wavelength * temperature))
        share = planck / (_STEFAN_BOLTZMANN * temperature**4)
        distance_cm = np.maximum(luminosity_distance_mpc(z), 1e-3) * _CM_PER_MPC
        flux = luminosity * share * (1.0 + z) / (4.0 * distance_cm**2) * _NJY_PER_CGS
        return np.where(day > 0.0, flux, 0.0)
