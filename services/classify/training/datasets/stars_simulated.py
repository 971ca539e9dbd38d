"""Made-up variable stars as a bright survey sees them: what most of its alerts are.

Textbook shapes in magnitudes, less in red bands as the kind has it; differences from a reference
image, so that a star is as often fainter as brighter. Seeded; nothing real enters.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from services.classify.training.datasets.base import DatasetDefinition, LabelledLightCurves
from services.classify.training.datasets.bright_survey import (
    FloatArray,
    detections,
    light_curves,
    photometry,
    visits,
)
from shared.light_curves.photometry import flux_njy_of

Shape = Callable[[np.random.Generator], tuple[float, Callable[[FloatArray], FloatArray]]]
"""Period in days, and magnitudes fainter than the brightest by phase."""

PER_CLASS = 500
_SEED = 18_990_803
_LEAST_DETECTIONS = 3
_PHASES_OF_REFERENCE = 15
"""Images that the reference image is the mean of."""


def _log_uniform(least: float, most: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def saw_tooth(rng: np.random.Generator) -> tuple[float, Callable[[FloatArray], FloatArray]]:
    """RR Lyrae of type ab: a quick rise, a slow decline."""
    rise, amplitude = rng.uniform(0.1, 0.25), rng.uniform(0.5, 1.4)
    steepness = rng.uniform(1.0, 4.0)

    def fainter(phase: FloatArray) -> FloatArray:
        since = np.clip((phase - rise) / (1.0 - rise), 0.0, 1.0)
        decline = (1.0 - np.exp(-steepness * since)) / (1.0 - np.exp(-steepness))
        return np.asarray(amplitude * np.where(phase < rise, 1.0 - phase / rise, decline))

    return rng.uniform(0.35, 0.85), fainter


def wave(
    least_days: float, most_days: float, least_mag: float, most_mag: float
) -> Callable[[np.random.Generator], tuple[float, Callable[[FloatArray], FloatArray]]]:
    """Pulsation or rotation: a wave with some of its first harmonic."""

    def shape(rng: np.random.Generator) -> tuple[float, Callable[[FloatArray], FloatArray]]:
        amplitude, harmonic = _log_uniform(least_mag, most_mag, rng), rng.uniform(0.0, 0.4)
        offset = rng.uniform(0.0, 2.0 * np.pi)

        def fainter(phase: FloatArray) -> FloatArray:
            angle = 2.0 * np.pi * phase
            return np.asarray(
                0.5 * amplitude * (np.sin(angle) + harmonic * np.sin(2.0 * angle + offset))
            )

        return _log_uniform(least_days, most_days, rng), fainter

    return shape


def eclipses(rng: np.random.Generator) -> tuple[float, Callable[[FloatArray], FloatArray]]:
    """Dips of a detached pair, or two stars that touch."""
    first = _log_uniform(0.15, 1.5, rng)
    second = first * rng.uniform(0.1, 1.0)
    touching = rng.random() < 0.6
    width = rng.uniform(0.08, 0.13) if touching else rng.uniform(0.015, 0.07)
    period = _log_uniform(0.22, 1.0, rng) if touching else _log_uniform(0.4, 10.0, rng)

    def fainter(phase: FloatArray) -> FloatArray:
        one, other = (np.exp(-0.5 * ((phase - at) / width) ** 2) for at in (0.25, 0.75))
        return np.asarray(first * one + second * other)

    return period, fainter


_KINDS: dict[str, tuple[Shape, int, tuple[float, ...], tuple[float, float]]] = {
    "RR Lyrae": (saw_tooth, PER_CLASS, (1.0, 0.7, 0.55, 0.5), (0.0, 0.4)),
    "RR Lyrae of type c": (
        wave(0.22, 0.45, 0.3, 0.6), PER_CLASS // 2, (1.0, 0.7, 0.55, 0.5), (0.0, 0.3)
    ),
    "delta Scuti": (
        wave(0.04, 0.2, 0.15, 0.7), PER_CLASS // 4, (1.0, 0.7, 0.6, 0.5), (0.0, 0.4)
    ),
    "eclipsing binary": (eclipses, PER_CLASS, (1.0, 0.95, 0.92, 0.9), (0.2, 1.2)),
    "spotted star": (
        wave(0.4, 30.0, 0.06, 0.4), PER_CLASS // 3, (1.0, 0.85, 0.7, 0.6), (0.6, 1.4)
    ),
    "semi-regular": (
        wave(25.0, 200.0, 0.15, 1.5), PER_CLASS // 2, (1.0, 0.8, 0.6, 0.5), (1.0, 2.0)
    ),
    "Mira": (wave(100.0, 500.0, 2.0, 6.0), PER_CLASS // 4, (1.0, 0.85, 0.7, 0.6), (1.0, 2.5)),
}  # fmt: skip
"""Shape, number, amplitude in g, r, i, z over that in g, and the range of g - r in mag."""
_CLASS_OF = {"RR Lyrae of type c": "RR Lyrae"}


def _observed(kind: str, rng: np.random.Generator) -> FloatArray:
    """Photometry of one star; drawn until it is detected often enough to be judged."""
    shape, _, amplitudes, colours = _KINDS[kind]
    while True:
        seen = visits(rng)
        period, fainter = shape(rng)
        amplitude = np.array(amplitudes)[seen.band]
        redder = rng.uniform(*colours) * np.array([0.0, 1.0, 1.4, 1.6])[seen.band]
        mean_njy = flux_njy_of(rng.uniform(13.5, 19.5) - redder)
        phase = (seen.days / period + rng.random()) % 1.0
        flux = 10 ** (-0.4 * amplitude * fainter(phase))
        of_reference = fainter(rng.random(_PHASES_OF_REFERENCE))[:, np.newaxis]
        reference = np.mean(10 ** (-0.4 * amplitude * of_reference), axis=0)
        points = photometry((flux - reference) * mean_njy, seen, rng)
        if detections(points) >= _LEAST_DETECTIONS:
            return points


def load(data: Path) -> LabelledLightCurves:
    """Make the set; ``data`` is not read."""
    del data
    rng = np.random.default_rng(_SEED)
    kinds = [kind for kind, (_, number, *_) in _KINDS.items() for _ in range(number)]
    points = [_observed(kind, rng) for kind in kinds]
    return light_curves("stars_simulated", [_CLASS_OF.get(kind, kind) for kind in kinds], points)


STARS_SIMULATED = DatasetDefinition(name="stars_simulated", files=(), is_simulated=True, load=load)
