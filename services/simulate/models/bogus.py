"""Bogus detections: dipoles of bad registration, cosmic rays and hot pixels, satellite streaks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import (
    DIPOLE,
    STREAK,
    BandArray,
    Drawn,
    FloatArray,
    Sky,
    plain_sources,
)

_SECONDS_OF_MATCH_DAYS = 20.0 / 86_400.0
_STAR_CLASSES = ("SR", "LB", "BY", "RS", "ROT", "VAR", "EW", "M")


class Bogus:
    """What is no source in the sky; the classifier knows most of it."""

    name = "bogus"
    share = 0.155

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Half on stars (dipoles), half anywhere; each seen in one visit, S/N a power law."""
        star_ra, star_dec = sky.variables(n // 2, _STAR_CLASSES)
        ra, dec = sky.anywhere(n - len(star_ra))
        ra, dec = np.concatenate([star_ra, ra]), np.concatenate([star_dec, dec])
        on_star = np.arange(n) < len(star_ra)
        where, mjd, _, sigma = sky.visits_at(ra, dec)
        # One of the visits of each place.
        chosen = np.flatnonzero(np.diff(where, prepend=-1))
        counts = np.diff(np.append(chosen, len(where)))
        chosen = chosen + (rng.random(len(chosen)) * counts).astype(np.int64)
        place = where[chosen]
        n = len(place)
        shape = np.where(on_star[place], DIPOLE, rng.integers(DIPOLE + 1, STREAK + 1, n))
        signal_to_noise = 6.5 * rng.random(n) ** (-1.0 / 2.5)
        sign = np.where((shape == DIPOLE) & (rng.random(n) < 0.5), -1.0, 1.0)
        bright, faint = sky.star_mag_range
        star = np.where(on_star[place], rng.uniform(bright, 0.5 * (bright + faint), n), np.nan)
        sources = plain_sources(
            rng,
            ra[place],
            dec[place],
            reliability=rng.beta(0.7, 4.0, n),
            shape=shape,
            star_mag=star,
            star_color=np.full(n, 0.6),
        )
        flux = sign * np.minimum(signal_to_noise, 80.0) * sigma[chosen]
        return Drawn(sources, {"seen_mjd": mjd[chosen], "flux": flux})

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """A flux in one exposure, zero in all others."""
        del band
        here = np.abs(mjd_tai - parameters["seen_mjd"]) < _SECONDS_OF_MATCH_DAYS
        return np.where(here, parameters["flux"], 0.0)
