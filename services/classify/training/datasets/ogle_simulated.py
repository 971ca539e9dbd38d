"""Made-up I-band light curves with a cadence like OGLE-II's: lenses, and stars that vary.

Made here, from textbook shapes, seeded: nothing of the real OGLE light curves enters. Total
fluxes, four seasons, some hundred points, errors that grow with magnitude and are sometimes
underestimated, now and then an outlier.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.classify.training.datasets.base import (
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from shared.light_curves.photometry import flux_err_njy_of, flux_njy_of

FloatArray = npt.NDArray[np.float64]
Shape = Callable[[FloatArray, np.random.Generator], FloatArray]
PER_CLASS = 700
_SEED = 19_970_101
_I_BAND = 3


def _cadence(rng: np.random.Generator) -> FloatArray:
    seasons, nights = int(rng.integers(2, 6)), []
    share = rng.uniform(0.12, 0.5)
    for season in range(seasons):
        days = np.arange(0.0, rng.uniform(180.0, 270.0))
        kept = days[rng.random(len(days)) < share]
        nights.append(50_500.0 + 365.25 * season + kept + rng.normal(0.3, 0.06, len(kept)))
    return np.sort(np.concatenate(nights))


def _lens(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A point lens with a blend, somewhere in a season; constant otherwise."""
    einstein = float(np.clip(np.exp(rng.normal(np.log(25.0), 0.85)), 2.0, 250.0))
    u0 = rng.uniform(0.01, 1.0)
    t0 = t[rng.integers(0, len(t))] + rng.normal(0.0, 0.3 * einstein)
    u2 = u0**2 + ((t - t0) / einstein) ** 2
    blend = rng.uniform(0.1, 1.0)
    magnified = (u2 + 2.0) / np.sqrt(u2 * (u2 + 4.0))
    trend = 0.0 if rng.random() < 0.8 else rng.normal(0.0, 0.02) * np.sin(t / rng.uniform(20, 200))
    return np.asarray(-2.5 * np.log10(blend * magnified + 1.0 - blend) + trend)


def _long_period(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Miras and semi-regulars: one to three slow waves that wander."""
    total = np.zeros(len(t))
    for _ in range(int(rng.integers(1, 4))):
        period = np.exp(rng.uniform(np.log(15.0), np.log(600.0)))
        phase = 2 * np.pi * t / period + rng.uniform(0, 2 * np.pi)
        wander = 0.5 * rng.normal() * np.sin(t / rng.uniform(200, 900))
        total += np.exp(rng.uniform(np.log(0.01), np.log(1.0))) * np.sin(phase + wander)
    return total


def _pulsating(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """RR Lyrae and Cepheids: a saw-tooth of some harmonics."""
    period = np.exp(rng.uniform(np.log(0.25), np.log(40.0)))
    phase = t / period + rng.random()
    amplitude = rng.uniform(0.1, 0.7)
    waves = [np.sin(2 * np.pi * k * phase + 0.3 * k) / k ** rng.uniform(1, 2) for k in (1, 2, 3, 4)]
    return np.asarray(amplitude * np.sum(waves, axis=0) / 1.5)


def _eclipsing(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Two stars that eclipse each other: dips."""
    period = np.exp(rng.uniform(np.log(0.3), np.log(200.0)))
    phase = (t / period + rng.random()) % 1.0
    width = rng.uniform(0.02, 0.15)
    first, second = rng.uniform(0.1, 0.8), rng.uniform(0.02, 0.5)
    dips = first * np.exp(-0.5 * ((phase - 0.25) / width) ** 2)
    return np.asarray(dips + second * np.exp(-0.5 * ((phase - 0.75) / width) ** 2))


def _outbursting(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Dwarf novae and novae: quick rise, plateau, decline; some only once in the years."""
    total = np.zeros(len(t))
    once = rng.random() < 0.4
    interval = 5_000.0 if once else np.exp(rng.uniform(np.log(15.0), np.log(400.0)))
    next_at = t[rng.integers(0, len(t))] - (0.0 if once else 3 * 365.0)
    height = rng.uniform(0.5, 5.0)
    while next_at < t[-1]:
        since = t - next_at
        length, decline = np.exp(rng.uniform(np.log(1.0), np.log(15.0))), rng.uniform(0.03, 0.6)
        rise = rng.uniform(0.3, 3.0)
        shape = np.where(since < 0, 1.0 + since / rise, 1.0)
        fade = np.maximum(since - length, 0.0) * decline / height
        total += -height * rng.uniform(0.7, 1.0) * np.clip(shape - fade, 0.0, 1.0)
        next_at += interval * rng.uniform(0.6, 1.4)
    return np.maximum(total, -height)


def _irregular(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Be stars, quasars, young stars: a damped random walk, sometimes with bumps."""
    tau, sigma = np.exp(rng.uniform(np.log(10.0), np.log(600.0))), rng.uniform(0.02, 0.3)
    walk = np.empty(len(t))
    walk[0] = rng.normal(0.0, sigma)
    for j in range(1, len(t)):
        memory = np.exp(-(t[j] - t[j - 1]) / tau)
        walk[j] = memory * walk[j - 1] + sigma * np.sqrt(1 - memory**2) * rng.normal()
    for _ in range(int(rng.integers(0, 3))):
        since = t - t[rng.integers(0, len(t))]
        fall = np.exp(rng.uniform(np.log(10.0), np.log(200.0)))
        walk -= rng.uniform(0.05, 0.6) * np.where(since < 0, 0.0, np.exp(-since / fall))
    return walk


def _constant(t: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Nothing but noise."""
    del rng
    return np.zeros(len(t))


_SHAPES: dict[str, tuple[Shape, int]] = {
    "microlensing": (_lens, 4 * PER_CLASS),
    "long-period variable": (_long_period, PER_CLASS),
    "pulsating variable": (_pulsating, PER_CLASS),
    "eclipsing binary": (_eclipsing, PER_CLASS // 2),
    "cataclysmic variable": (_outbursting, PER_CLASS),
    "irregular variable": (_irregular, PER_CLASS),
    "constant": (_constant, PER_CLASS // 2),
}


def _is_seen(shape: FloatArray, error: FloatArray) -> bool:
    """Whether a lens stands out: four points of three sigma."""
    return bool(np.sum(-shape > 3.0 * error) >= 4)


def _observed(shape: Shape, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times, magnitudes and errors of one star; lenses are drawn until one is seen."""
    while True:
        t = _cadence(rng)
        base = rng.uniform(13.5, 19.5)
        change = shape(t, rng)
        error = np.hypot(0.006, 0.006 * 10 ** (0.35 * np.maximum(base + change - 15.0, -3.0)))
        error = np.minimum(error, 0.4)
        if shape is not _lens or _is_seen(change, error):
            break
    true_error = error * (1.0 if rng.random() < 0.6 else rng.uniform(1.0, 2.0))
    magnitude = base + change + true_error * rng.standard_normal(len(t))
    wild = rng.random(len(t)) < 0.004
    magnitude[wild] += rng.normal(0.0, 0.4, int(wild.sum()))
    return t, magnitude, error


def load(data: Path) -> LabelledLightCurves:
    """Make the set; ``data`` is not read."""
    del data
    rng = np.random.default_rng(_SEED)
    names: list[str] = []
    pieces: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    for name, (shape, number) in _SHAPES.items():
        for _ in range(number):
            pieces.append(_observed(shape, rng))
            names.append(name)
    lengths = [len(t) for t, _, _ in pieces]
    magnitude = np.concatenate([m for _, m, _ in pieces])
    flux = flux_njy_of(magnitude)
    _, curves = grouped(
        np.repeat(np.arange(len(pieces)), lengths),
        {
            "mjd_tai": np.concatenate([t for t, _, _ in pieces]),
            "flux_njy": flux,
            "flux_err_njy": flux_err_njy_of(flux, np.concatenate([e for _, _, e in pieces])),
            "band": np.full(len(flux), _I_BAND),
        },
    )
    truth = Truth(
        object_id=np.array([f"made{k}" for k in range(len(pieces))]),
        class_name=np.array(names),
        is_sn_ia=np.zeros(len(pieces), dtype=bool),
        redshift=np.zeros(len(pieces)),
    )
    surroundings = Surroundings.unknown(len(pieces))
    return LabelledLightCurves("ogle_simulated", curves, truth, surroundings)


OGLE_SIMULATED = DatasetDefinition(name="ogle_simulated", files=(), is_simulated=True, load=load)
