"""Afterglows of gamma-ray bursts: synchrotron power laws with a jet break.

``F ~ t^-alpha nu^-beta`` (Sari, Piran & Narayan 1998, ApJ 497, L17; Kann et al. 2010, ApJ 720,
1513 for optical brightness: about 19 mag half a day after the burst, two magnitudes spread).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import (
    BAND_WAVELENGTH_NM,
    BandArray,
    Drawn,
    FloatArray,
    Sky,
    plain_sources,
)
from shared.light_curves.photometry import flux_njy_of


class Afterglow:
    """Optical afterglows, their hosts too faint to be seen."""

    name = "afterglow"
    share = 0.002

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Bursts of the last two days, anywhere."""
        ra, dec = sky.anywhere(n)
        burst = sky.mjd - rng.uniform(0.02, 2.0, n)
        return Drawn(plain_sources(rng, ra, dec), self.parameters(rng, burst))

    @staticmethod
    def parameters(rng: np.random.Generator, burst_mjd: FloatArray) -> dict[str, FloatArray]:
        """Parameters of bursts at given times (TAI), brightness and slopes drawn."""
        n = len(burst_mjd)
        return {
            "burst_mjd": burst_mjd,
            "flux_half_day": flux_njy_of(rng.normal(18.5, 0.9, n)),
            "decay": rng.uniform(0.8, 1.3, n),
            "jet_break_days": rng.uniform(0.7, 3.0, n),
            "spectral_slope": rng.uniform(0.5, 1.1, n),
        }

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """The broken power law, normalised in r at half a day."""
        day = mjd_tai - parameters["burst_mjd"]
        since = np.maximum(day, 1e-3)
        broken = np.maximum(since / parameters["jet_break_days"], 1.0) ** -1.0
        color = (BAND_WAVELENGTH_NM[band] / BAND_WAVELENGTH_NM[2]) ** parameters["spectral_slope"]
        decay = (since / 0.5) ** -parameters["decay"]
        return np.where(day > 0.0, parameters["flux_half_day"] * decay * broken * color, 0.0)
