"""Asteroids: known bodies that move; every visit sees them at another place.

Surveys therefore make a new object of each detection, with the body's name beside it.
Main-belt motion near opposition is 20 to 50 arcseconds an hour westward along the ecliptic.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky, plain_sources
from services.simulate.models.spectra import STAR_COLOR_SLOPE
from shared.light_curves.photometry import flux_njy_of

_SECONDS_OF_MATCH_DAYS = 20.0 / 86_400.0
_COLOR = 0.55
"""g - r of sunlight reflected by an S or C type, between 0.45 and 0.65."""


class Asteroid:
    """Main-belt asteroids in the night's fields."""

    name = "asteroid"
    share = 0.22

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """One source for every visit of every body, at the place where it is then."""
        bodies = max(1, n // 2)
        ra0, dec0 = sky.near_ecliptic(bodies, 9.0)
        bright, faint = sky.star_mag_range
        mag = faint + 0.8 - (faint - bright - 1.0) * rng.exponential(0.22, bodies)
        speed = np.clip(rng.normal(33.0, 8.0, bodies), 5.0, 90.0)
        # The ecliptic's direction on the sky is at most 23.4 degrees from east-west.
        angle = 270.0 + rng.normal(0.0, 12.0, bodies)
        body, mjd, _, _ = sky.visits_at(ra0, dec0)
        hours = (mjd - sky.mjd) * 24.0
        moved = speed[body] * hours / 3600.0
        dec = np.clip(dec0[body] + moved * np.cos(np.radians(angle[body])), -89.9, 89.9)
        ra = ra0[body] + moved * np.sin(np.radians(angle[body])) / np.cos(np.radians(dec))
        serials = rng.integers(0, 26**2 * 600, bodies)
        names = np.array([_designation(int(s)) for s in serials], dtype=object)
        sources = plain_sources(
            rng,
            ra % 360.0,
            dec,
            solar_system_name=names[body],
            motion_arcsec_per_hour=speed[body],
            motion_angle_deg=angle[body],
        )
        return Drawn(sources, {"seen_mjd": mjd, "mag": mag[body]})

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """The body's light at its own visit, nothing before and after: it has moved on."""
        here = np.abs(mjd_tai - parameters["seen_mjd"]) < _SECONDS_OF_MATCH_DAYS
        return np.where(here, flux_njy_of(parameters["mag"] + _COLOR * STAR_COLOR_SLOPE[band]), 0.0)


def _designation(serial: int) -> str:
    """A provisional designation of a year to come, so that it is nobody's: 2099 AB123."""
    letters, number = divmod(serial, 600)
    first, second = divmod(letters, 26)
    return f"2099 {chr(65 + first)}{chr(65 + second)}{number}"
