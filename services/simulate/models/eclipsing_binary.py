"""Eclipsing binaries: detached (EA: flat, two dips) and contact (EW: two round minima)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky, plain_sources
from services.simulate.models.spectra import star_flux_njy


class EclipsingBinary:
    """Catalogued eclipsing binaries of classes EA, EB and EW."""

    name = "eclipsing_binary"
    share = 0.17

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Positions from the catalogs; period, depths and brightness drawn."""
        ra, dec = sky.variables(n, ("EW", "EA", "EB", "E", "EC", "EA/SD"))
        n = len(ra)
        bright, faint = sky.star_mag_range
        mag = bright + (faint - bright) * np.sqrt(rng.random(n))
        color = np.clip(rng.normal(0.55, 0.2, n), -0.1, 1.5)
        is_contact = rng.random(n) < 0.7
        primary = np.where(is_contact, rng.uniform(0.15, 0.55, n), rng.uniform(0.1, 0.65, n))
        parameters = {
            "period_days": np.where(
                is_contact,
                np.clip(rng.normal(0.36, 0.07, n), 0.21, 0.9),
                np.exp(rng.normal(0.5, 0.7, n)),
            ),
            "epoch_mjd": rng.uniform(0.0, 1.0, n),
            "primary_depth": primary,
            "secondary_depth": primary
            * np.where(is_contact, rng.uniform(0.75, 1.0, n), rng.uniform(0.05, 0.95, n)),
            "eclipse_width": rng.uniform(0.015, 0.05, n),
            "is_contact": is_contact.astype(np.float64),
            "star_mag": mag,
            "star_color": color,
        }
        return Drawn(plain_sources(rng, ra, dec, star_mag=mag, star_color=color), parameters)

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """The flux lost; the reference image is the median, so contact binaries also brighten."""
        phase = (mjd_tai / parameters["period_days"] + parameters["epoch_mjd"]) % 1.0
        to_primary = np.minimum(phase, 1.0 - phase)
        to_secondary = np.abs(phase - 0.5)
        near_primary = to_primary < 0.25
        depth = np.where(near_primary, parameters["primary_depth"], parameters["secondary_depth"])
        # Contact: light follows cos(4 pi phase); the reference is half of the mean depth down.
        wave = 0.5 * (1.0 + np.cos(4.0 * np.pi * phase))
        mean = 0.25 * (parameters["primary_depth"] + parameters["secondary_depth"])
        contact = mean - depth * wave
        width = parameters["eclipse_width"]
        detached = -parameters["primary_depth"] * np.exp(-0.5 * (to_primary / width) ** 4)
        detached -= parameters["secondary_depth"] * np.exp(-0.5 * (to_secondary / width) ** 4)
        star = star_flux_njy(parameters["star_mag"], parameters["star_color"], band)
        change = np.where(parameters["is_contact"] > 0.5, contact, detached)
        return np.asarray(star * change, dtype=np.float64)
