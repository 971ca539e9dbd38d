"""Core-collapse supernovae: plateau (IIP), linear (IIL) and stripped (Ibc), by black bodies.

Luminosities and shares: Li et al. 2011, MNRAS 412, 1441 (IIP 0.55, IIL 0.10, Ibc 0.35 here);
plateau of 80 to 120 days and radioactive tail of 0.98 mag per 100 days: Anderson et al. 2014,
ApJ 786, 67; stripped light curves 15 to 25 days wide: Drout et al. 2011, ApJ 741, 97.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from services.simulate.models.base import BandArray, Drawn, FloatArray, Sky
from services.simulate.models.spectra import planck_ratio, redshifted_flux_njy, rest_frame

PLATEAU, LINEAR, STRIPPED = range(3)
_SHARES = (0.55, 0.10, 0.35)
_PEAK_MAG_V = np.array([-16.9, -17.8, -17.6])
_SCATTER_MAG = np.array([0.9, 0.6, 0.8])
_V_NM = 551.0


class CoreCollapse:
    """Supernovae of types IIP, IIL and Ibc at a constant rate per volume."""

    name = "core_collapse"
    share = 0.04

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """Explosions over the last 130 days, in galaxies, at a constant rate per volume."""
        sources = sky.in_galaxies(n, sky.max_redshift / 2.0)
        kind = rng.choice(3, n, p=_SHARES)
        return Drawn(
            sources,
            {
                "explosion_mjd": sky.mjd - rng.uniform(0.5, 130.0, n),
                "redshift": sources.redshift,
                "kind": kind.astype(np.float64),
                "peak_mag": _PEAK_MAG_V[kind] + _SCATTER_MAG[kind] * rng.normal(size=n),
                "plateau_days": rng.uniform(80.0, 120.0, n),
                "width_days": rng.uniform(14.0, 24.0, n),
                "extinction_v": rng.exponential(0.3, n),
            },
        )

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """V magnitude of the kind's shape, colour of a cooling black body, dust."""
        z = parameters["redshift"]
        day, wavelength = rest_frame(mjd_tai, band, parameters["explosion_mjd"], z)
        since = np.maximum(day, 1e-3)
        kind = parameters["kind"]
        below = np.where(
            kind == PLATEAU,
            _plateau(since, parameters["plateau_days"]),
            np.where(kind == LINEAR, _linear(since), _stripped(since, parameters["width_days"])),
        )
        hot = np.where(kind == STRIPPED, 8_500.0, 15_000.0)
        cool = np.where(kind == STRIPPED, 4_600.0, 5_300.0)
        temperature = cool + (hot - cool) * np.exp(-since / 14.0)
        color = -2.5 * np.log10(planck_ratio(wavelength, temperature, _V_NM))
        # Metal lines blanket the blue once the ejecta have cooled.
        blanket = np.clip((450.0 - wavelength) / 100.0, 0.0, 2.0) * np.clip(since / 40.0, 0.0, 1.0)
        dust = parameters["extinction_v"] * (_V_NM / wavelength) ** 1.2
        flux = redshifted_flux_njy(parameters["peak_mag"] + below + color + blanket + dust, z)
        return np.where(day > 0.0, flux, 0.0)


def _plateau(day: FloatArray, length_days: FloatArray) -> FloatArray:
    """Magnitudes below maximum: a rise of a few days, the plateau, the drop, the tail."""
    rise = -2.5 * np.log10(-np.expm1(-((day / 3.5) ** 1.5)))
    slope = 0.005 * np.maximum(day - 10.0, 0.0)
    drop = 1.7 / (1.0 + np.exp(-(day - length_days) / 5.0))
    tail = 0.0048 * np.maximum(day - length_days, 0.0)
    return np.asarray(rise + slope + drop + tail, dtype=np.float64)


def _linear(day: FloatArray) -> FloatArray:
    rise = -2.5 * np.log10(-np.expm1(-((day / 6.0) ** 1.5)))
    return np.asarray(rise + 0.028 * np.maximum(day - 15.0, 0.0), dtype=np.float64)


def _stripped(day: FloatArray, width_days: FloatArray) -> FloatArray:
    """A bell (its rise shorter than its fall) that ends in a tail of 1.6 mag per 100 days."""
    peak = 0.9 * width_days
    phase = day - peak
    scale = np.where(phase < 0.0, 0.62 * width_days, 0.95 * width_days)
    bell = np.exp(-0.5 * (phase / scale) ** 2)
    tail = 0.16 * 10.0 ** (-0.4 * 0.016 * np.maximum(phase, 0.0)) * (phase > 0.0)
    started = np.clip(day / 3.0, 1e-6, 1.0)
    return np.asarray(-2.5 * np.log10((bell + tail * (1.0 - bell)) * started), dtype=np.float64)
