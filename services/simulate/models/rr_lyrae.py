"""RR Lyrae stars: a Fourier saw-tooth (RRab) or nearly a sine (RRc).

Fourier amplitude ratios as in Simon & Teays 1982, ApJ 261, 586; period and amplitude ranges:
Sesar et al. 2010, ApJ 708, 717 (stripe 82).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky, plain_sources
from services.simulate.models.spectra import star_flux_njy

_RATIOS = np.array([1.0, 0.48, 0.33, 0.22, 0.14, 0.08])
_PHASES = np.array([0.0, -0.25, -0.45, -0.6, -0.7, -0.8])
"""Sine phases of the harmonics against the first, radians: zero makes a saw-tooth."""
_BAND_AMPLITUDE = np.array([0.95, 1.0, 0.72, 0.57, 0.53, 0.50])
"""Amplitude in each band against g's."""


def saw_tooth(phase: FloatArray) -> FloatArray:
    """Magnitude offset of an RRab of full amplitude one: steep rise, slow decline, mean zero."""
    turn = 2.0 * np.pi * phase
    offset = np.zeros_like(turn)
    for k, (ratio, shift) in enumerate(zip(_RATIOS, _PHASES, strict=True), start=1):
        offset -= ratio * np.sin(k * turn + shift)
    return np.asarray(offset / _FULL_SWING, dtype=np.float64)


_FULL_SWING = 1.0
_FULL_SWING = float(np.ptp(saw_tooth(np.linspace(0.0, 1.0, 2001))))


class RrLyrae:
    """Catalogued RR Lyrae stars."""

    name = "rr_lyrae"
    share = 0.18

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Stars of classes RRAB and RRC of the catalogs; brightness and period drawn."""
        ra, dec = sky.variables(n, ("RRAB", "RRAB/BL", "RR", "RRC"))
        n = len(ra)
        bright, faint = sky.star_mag_range
        mag = bright + 0.5 + (faint - bright - 0.5) * np.sqrt(rng.random(n))
        color = np.clip(rng.normal(0.2, 0.08, n), 0.0, 0.5)
        is_c = rng.random(n) < 0.25
        period = np.where(is_c, rng.normal(0.32, 0.03, n), rng.normal(0.57, 0.06, n))
        parameters = {
            "period_days": np.clip(period, 0.22, 0.9),
            "epoch_mjd": rng.uniform(0.0, 1.0, n),
            "amplitude_g": np.where(is_c, rng.uniform(0.3, 0.6, n), rng.uniform(0.5, 1.4, n)),
            "is_c": is_c.astype(np.float64),
            "star_mag": mag,
            "star_color": color,
        }
        return Drawn(plain_sources(rng, ra, dec, star_mag=mag, star_color=color), parameters)

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """The star's flux now minus its mean flux."""
        phase = (mjd_tai / parameters["period_days"] + parameters["epoch_mjd"]) % 1.0
        sine = 0.5 * np.sin(2.0 * np.pi * phase)
        shape = np.where(parameters["is_c"] > 0.5, sine, saw_tooth(phase))
        offset = parameters["amplitude_g"] * _BAND_AMPLITUDE[band] * shape
        star = star_flux_njy(parameters["star_mag"], parameters["star_color"], band)
        return np.asarray(star * (10.0 ** (-0.4 * offset) - 1.0), dtype=np.float64)
