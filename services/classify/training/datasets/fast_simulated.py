"""Made-up fast transients as a bright survey sees them: kilonovae, and what is taken for them.

Kilonovae are those of Villar et al. 2017 (ApJL 851, L21; after Metzger 2017): one or two shells
of ejecta, each heated by the r-process (Korobkin et al. 2012) with the thermalisation of Barnes
et al. 2016, losing heat by diffusion (Arnett 1982), a black body that stops cooling at a floor
temperature. Beside them, with the same nights and depths: dwarf novae, cooling shocks and
ordinary supernovae, all black bodies too, so that none of this is a sign of the class. Seeded;
nothing real enters.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from services.classify.training.datasets.base import DatasetDefinition, LabelledLightCurves
from services.classify.training.datasets.bright_survey import (
    WAVELENGTHS_M,
    FloatArray,
    Visits,
    detections,
    light_curves,
    photometry,
    visits,
)

Light = Callable[[np.random.Generator], tuple[FloatArray, FloatArray]]
"""Temperature in K and radius, in any unit, of each black body on the grid of days since the
beginning, shape (bodies, days) each."""

PER_CLASS = 600
_SEED = 20_170_817
_LEAST_DETECTIONS = 3
_DUST = (3.3, 2.3, 1.7, 1.3)
"""Extinction in g, r, i, z over reddening (Schlafly and Finkbeiner 2011, R_V = 3.1)."""
_LINES_MAG = 0.15
"""How far a band is off the black body, one sigma."""
_DAYS = np.geomspace(0.01, 120.0, 300)
_SUN_KG, _LIGHT, _DAY_S = 1.989e30, 2.998e8, 86_400.0
_STEFAN, _PLANCK, _BOLTZMANN = 5.670e-8, 6.626e-34, 1.381e-23


def _shell(mass_sun: float, speed_c: float, opacity: float, floor_k: float) -> list[FloatArray]:
    """Luminosity in W and radius in m of one shell; opacity in cm2/g."""
    t = _DAYS * _DAY_S
    mass, speed = mass_sun * _SUN_KG, speed_c * _LIGHT
    heating = 4e14 * mass * (0.5 - np.arctan((t - 1.3) / 0.11) / np.pi) ** 1.3
    spread = 2.0 * 0.17 * _DAYS**0.74
    caught = 0.36 * (np.exp(-0.56 * _DAYS) + np.log1p(spread) / spread)
    diffusion = np.sqrt(2.0 * 0.1 * opacity * mass / (13.4 * speed * _LIGHT))
    grown = np.exp(np.minimum((t / diffusion) ** 2, 600.0))
    step = heating * caught * grown * 2.0 * t / diffusion**2
    total = np.concatenate([[0.0], np.cumsum(0.5 * (step[1:] + step[:-1]) * np.diff(t))])
    luminosity = np.where((t / diffusion) ** 2 < 600.0, total / grown, heating * caught)
    luminosity[0] = luminosity[1]  # nothing has come out at the first instant
    cool = np.sqrt(luminosity / (4.0 * np.pi * _STEFAN * floor_k**4))
    return [luminosity, np.minimum(speed * t, cool)]


def kilonova(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """A blue and a red shell, sometimes one of them only."""
    blue = _shell(
        np.exp(rng.uniform(np.log(0.005), np.log(0.05))),
        rng.uniform(0.15, 0.35),
        np.exp(rng.uniform(np.log(0.2), np.log(1.5))),
        rng.uniform(1_500.0, 5_500.0),
    )
    red = _shell(
        np.exp(rng.uniform(np.log(0.005), np.log(0.08))),
        rng.uniform(0.08, 0.25),
        rng.uniform(3.0, 10.0),
        rng.uniform(1_000.0, 3_500.0),
    )
    shells = [[blue, red], [blue, red], [blue], [red]][int(rng.integers(0, 4))]
    luminosity, radius = np.array(shells).transpose(1, 0, 2)
    return (luminosity / (4.0 * np.pi * _STEFAN * radius**2)) ** 0.25, radius


def _cooling(
    rise: float, plateau: float, fade_mag_per_day: float, hot_k: float, cool_k: float
) -> tuple[FloatArray, FloatArray]:
    """A rise, a plateau, an exponential fade, from a hot to a cool black body."""
    since = np.maximum(_DAYS - rise - plateau, 0.0)
    shape = np.minimum((_DAYS / rise) ** 2, 1.0) * 10 ** (-0.4 * fade_mag_per_day * since)
    heat = cool_k + (hot_k - cool_k) * np.exp(-_DAYS / (2.0 * rise + plateau))
    return heat[np.newaxis], (np.sqrt(shape) / heat**2)[np.newaxis]


def dwarf_nova(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """A hot disc for days, then a quick decline; it stays blue."""
    heat = rng.uniform(9_000.0, 20_000.0)
    return _cooling(
        rng.uniform(0.3, 2.0),
        np.exp(rng.uniform(np.log(1.0), np.log(12.0))),
        rng.uniform(0.1, 0.9),
        heat,
        heat * rng.uniform(0.7, 1.0),
    )


def supernova(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Weeks, cooling from blue to red."""
    return _cooling(
        rng.uniform(8.0, 30.0),
        rng.choice([0.0, 0.0, rng.uniform(20.0, 90.0)]),
        rng.uniform(0.02, 0.12),
        rng.uniform(8_000.0, 16_000.0),
        rng.uniform(4_500.0, 6_500.0),
    )


def cooling_shock(rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """The first peak of some stripped supernovae, or a fast blue transient: days, reddening."""
    return _cooling(
        rng.uniform(0.5, 4.0),
        rng.uniform(0.0, 2.0),
        rng.uniform(0.08, 0.3),
        rng.uniform(12_000.0, 30_000.0),
        rng.uniform(6_000.0, 12_000.0),
    )


_KINDS: dict[str, tuple[Light, int]] = {
    "kilonova": (kilonova, PER_CLASS),
    "cataclysmic variable": (dwarf_nova, PER_CLASS),
    "supernova": (supernova, PER_CLASS),
    "fast blue transient": (cooling_shock, PER_CLASS // 2),
}


def _fluxes(light: Light, seen: Visits, rng: np.random.Generator) -> FloatArray:
    """Flux at each visit, over the greatest of any day in g or r."""
    heat, radius = light(rng)
    redshift, reddening = rng.uniform(0.005, 0.1), rng.exponential(0.08)
    days, flux = _DAYS * (1.0 + redshift), np.zeros(len(seen.days))
    greatest = 0.0
    for k, wavelength in enumerate(WAVELENGTHS_M.tolist()):
        frequency = _LIGHT / wavelength * (1.0 + redshift)
        body = 1.0 / np.expm1(np.minimum(_PLANCK * frequency / (_BOLTZMANN * heat), 500.0))
        dust = 10 ** (-0.4 * (reddening * _DUST[k] + rng.normal(0.0, _LINES_MAG)))
        own = frequency**3 * np.sum(body * radius**2, axis=0) * dust
        here = seen.band == k
        flux[here] = np.interp(seen.days[here], days, own, left=0.0)
        greatest = max(greatest, float(own.max())) if k <= 1 else greatest
    return flux / greatest


def _observed(light: Light, rng: np.random.Generator) -> FloatArray:
    """Photometry of one object; drawn until it is detected often enough to be judged."""
    while True:
        seen = visits(rng)
        brighter_mag = 0.2 + rng.exponential(1.8)
        peak_njy = float(np.median(seen.limit_njy)) * 10 ** (0.4 * brighter_mag)
        points = photometry(_fluxes(light, seen, rng) * peak_njy, seen, rng)
        if detections(points) >= _LEAST_DETECTIONS:
            return points


def load(data: Path) -> LabelledLightCurves:
    """Make the set; ``data`` is not read."""
    del data
    rng = np.random.default_rng(_SEED)
    names = [name for name, (_, number) in _KINDS.items() for _ in range(number)]
    points = [_observed(_KINDS[name][0], rng) for name in names]
    return light_curves("fast_simulated", names, points)


FAST_SIMULATED = DatasetDefinition(name="fast_simulated", files=(), is_simulated=True, load=load)
