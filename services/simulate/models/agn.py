"""Active galactic nuclei: a damped random walk in magnitude.

Kelly et al. 2009, ApJ 698, 895; MacLeod et al. 2010, ApJ 721, 1014 for the ranges. The walk is
written as a sum of sinusoids whose frequencies are drawn from its spectrum (a Cauchy
distribution of width 1/tau), which has the covariance ``sigma^2 exp(-|dt| / tau)`` exactly
(Rahimi & Recht 2007) and can be asked at any moment in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky
from services.simulate.models.spectra import star_flux_njy

N_WAVES = 48
_BAND_AMPLITUDE = np.array([1.2, 1.0, 0.86, 0.76, 0.70, 0.66])
"""Bluer bands vary more: amplitude against g's (MacLeod et al. 2010, lambda^-0.48 and more)."""
_REFERENCE_BEFORE_DAYS = 700.0
"""The reference image was taken about so long before the night."""


class Agn:
    """Nuclei of catalogued galaxies that vary."""

    name = "agn"
    share = 0.15

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Nuclei of catalogued galaxies; a quarter as bright as their host or brighter."""
        sources, _ = sky.galaxies(n)
        n = len(sources)
        mag = sources.host_mag + rng.uniform(0.0, 3.0, n)
        tau = np.exp(rng.normal(np.log(200.0), 0.7, n))
        color = np.clip(rng.normal(0.25, 0.15, n), -0.1, 0.9)
        parameters = {
            "sigma_mag": np.exp(rng.normal(np.log(0.16), 0.4, n)),
            "frequency": np.tan(np.pi * (rng.random((n, N_WAVES)) - 0.5)) / tau[:, None],
            "phase": rng.uniform(0.0, 2.0 * np.pi, (n, N_WAVES)),
            "reference_mjd": np.full(n, sky.mjd - _REFERENCE_BEFORE_DAYS),
            "star_mag": mag,
            "star_color": color,
        }
        return Drawn(replace(sources, star_mag=mag, star_color=color), parameters)

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """The nucleus now minus the nucleus when the reference was taken."""
        amplitude = parameters["sigma_mag"] * _BAND_AMPLITUDE[band]
        reference = parameters["reference_mjd"]
        now = amplitude * walk(parameters, mjd_tai - reference)
        then = amplitude * walk(parameters, np.zeros_like(mjd_tai))
        nucleus = star_flux_njy(parameters["star_mag"], parameters["star_color"], band)
        return np.asarray(nucleus * (10.0 ** (-0.4 * now) - 10.0 ** (-0.4 * then)))


def walk(parameters: Mapping[str, FloatArray], days: FloatArray) -> FloatArray:
    """The damped random walk of variance one at ``days``, shape (m,)."""
    turn = parameters["frequency"] * days[:, None] + parameters["phase"]
    return np.asarray(np.sqrt(2.0 / N_WAVES) * np.cos(turn).sum(axis=1), dtype=np.float64)
