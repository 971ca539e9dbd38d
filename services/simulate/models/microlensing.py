"""Microlensing: a star magnified by one that passes before it (Paczyński 1986, ApJ 304, 1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky, plain_sources
from services.simulate.models.spectra import star_flux_njy

_STAR_CLASSES = ("SR", "M", "LB", "BY", "RS", "ROT", "VAR")
"""Catalogued stars of any kind trace where stars are dense; the source star lies near one."""


def magnification(u: FloatArray) -> FloatArray:
    """Magnification of a point source at ``u`` Einstein radii from a point lens."""
    return np.asarray((u**2 + 2.0) / (u * np.sqrt(u**2 + 4.0)), dtype=np.float64)


class Microlensing:
    """Point lenses before point sources, some light blended in."""

    name = "microlensing"
    share = 0.01

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Events near their maximum, where the catalogued stars are dense."""
        near_ra, near_dec = sky.variables(n, _STAR_CLASSES)
        n = len(near_ra)
        angle, offset = rng.uniform(0.0, 2.0 * np.pi, n), rng.uniform(8.0, 60.0, n) / 3600.0
        dec = np.clip(near_dec + offset * np.cos(angle), -89.99, 89.99)
        ra = (near_ra + offset * np.sin(angle) / np.cos(np.radians(dec))) % 360.0
        bright, faint = sky.star_mag_range
        mag = faint - (faint - bright) * rng.random(n) ** 2
        color = np.clip(rng.normal(0.8, 0.3, n), 0.0, 1.6)
        crossing = np.exp(rng.normal(np.log(28.0), 0.7, n))
        parameters = {
            "peak_mjd": sky.mjd + rng.normal(0.0, 0.7, n) * crossing,
            "crossing_days": crossing,
            "least_u": rng.uniform(0.01, 1.0, n),
            "blend": rng.beta(4.0, 1.0, n),
            "star_mag": mag,
            "star_color": color,
        }
        return Drawn(plain_sources(rng, ra, dec, star_mag=mag, star_color=color), parameters)

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """``F (A - 1)`` of the part ``blend`` of the star's light; the rest is not lensed."""
        phase = (mjd_tai - parameters["peak_mjd"]) / parameters["crossing_days"]
        u = np.hypot(parameters["least_u"], phase)
        star = star_flux_njy(parameters["star_mag"], parameters["star_color"], band)
        return np.asarray(star * parameters["blend"] * (magnification(u) - 1.0), dtype=np.float64)
