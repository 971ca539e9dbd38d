"""Type Ia supernovae: a template in phase and wavelength, with stretch, colour and time dilation.

The table follows the mean UBVRI light curves of normal SNe Ia (Leibundgut 1988; Nugent, Kim &
Perlmutter 2002, PASP 114, 803: second maximum in I, maximum earlier in U), in AB. Stretch and
colour standardise as in SALT2 (Guy et al. 2010, A&A 523, A7: alpha 0.14, beta 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky
from services.simulate.models.spectra import TemplateSurface, redshifted_flux_njy, rest_frame

PEAK_MAG_B = -19.25
"""Absolute magnitude in B of x1 = 0, c = 0 (H0 = 70)."""
SCATTER_MAG = 0.12
RISE_DAYS = 17.5
"""From explosion to B maximum, rest frame, stretch 1."""
ALPHA, BETA = 0.14, 3.1

_DAYS = np.array([-15.0, -10, -5, 0, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 120])
_NM = np.array([300.0, 360, 440, 550, 650, 800, 900, 1000])
_PEAK = np.array([1.9, 0.45, 0.0, 0.02, 0.12, 0.62, 0.72, 0.85])
"""Magnitudes below the B maximum, at each wavelength's own zero of the table, AB."""
_DECLINE = np.array(
    # 300,  360,  440,  550,  650,  800,  900, 1000 nm
    [
        [2.30, 2.20, 2.10, 2.00, 1.90, 1.90, 1.80, 1.80],
        [0.60, 0.60, 0.80, 0.85, 0.80, 0.75, 0.70, 0.65],
        [0.00, 0.02, 0.16, 0.22, 0.20, 0.15, 0.10, 0.08],
        [0.25, 0.10, 0.00, 0.02, 0.00, 0.02, 0.05, 0.10],
        [0.85, 0.50, 0.16, 0.06, 0.08, 0.25, 0.35, 0.45],
        [1.60, 1.10, 0.55, 0.27, 0.35, 0.52, 0.65, 0.75],
        [2.20, 1.80, 1.10, 0.56, 0.62, 0.60, 0.62, 0.65],
        [2.70, 2.40, 1.72, 0.86, 0.70, 0.48, 0.45, 0.40],
        [3.10, 2.80, 2.22, 1.18, 0.78, 0.40, 0.33, 0.25],
        [3.30, 3.00, 2.60, 1.50, 1.00, 0.55, 0.48, 0.40],
        [3.50, 3.20, 2.98, 2.02, 1.60, 1.15, 1.05, 1.00],
        [3.65, 3.35, 3.15, 2.33, 1.98, 1.62, 1.55, 1.50],
        [3.80, 3.50, 3.30, 2.60, 2.30, 2.05, 2.00, 2.00],
        [4.10, 3.80, 3.62, 3.12, 2.95, 2.80, 2.80, 2.80],
        [4.70, 4.40, 4.20, 4.10, 4.20, 4.20, 4.20, 4.20],
    ]
)
TEMPLATE = TemplateSurface(_DAYS, _NM, _DECLINE + _PEAK)


class TypeIa:
    """Supernovae of type Ia at a constant rate per volume; ``share`` is of the alerts seen."""

    name = "type_ia"
    share = 0.07

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Explosions over the last 110 days, in galaxies, at a constant rate per volume."""
        sources = sky.in_galaxies(n, sky.max_redshift)
        stretch = np.clip(rng.normal(0.0, 1.0, n), -3.0, 2.5)
        color = np.clip(rng.normal(-0.02, 0.07, n) + rng.exponential(0.05, n), -0.2, 0.6)
        explosion = sky.mjd - rng.uniform(1.0, 110.0, n)
        rise = RISE_DAYS * (1.0 + 0.1 * stretch)
        return Drawn(
            sources,
            {
                "peak_mjd": explosion + rise * (1.0 + sources.redshift),
                "redshift": sources.redshift,
                "stretch": stretch,
                "color": color,
                "peak_mag": PEAK_MAG_B
                - ALPHA * stretch
                + BETA * color
                + rng.normal(0.0, SCATTER_MAG, n),
            },
        )

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """The template's flux; before day -12 the square of the time since explosion."""
        z = parameters["redshift"]
        day, wavelength = rest_frame(mjd_tai, band, parameters["peak_mjd"], z)
        day = day / (1.0 + 0.1 * parameters["stretch"])
        # Colour: peak_mag is B's; the slope away from B is that of a Cardelli-like law.
        reddening = parameters["color"] * 3.1 * ((440.0 / wavelength) ** 1.3 - 1.0)
        joined = -12.0
        magnitude = TEMPLATE.magnitude(np.maximum(day, joined), wavelength)
        flux = redshifted_flux_njy(parameters["peak_mag"] + magnitude + reddening, z)
        fireball = np.clip((day + RISE_DAYS) / (joined + RISE_DAYS), 0.0, 1.0) ** 2
        return np.asarray(flux * fireball, dtype=np.float64)
