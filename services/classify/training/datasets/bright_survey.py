"""How a bright survey such as ZTF sees a made-up object: its nights, depths, noise and limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classify.training.datasets.base import (
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from shared.light_curves.photometry import flux_njy_of

FloatArray = npt.NDArray[np.float64]

BAND_CODES = np.array([1, 2, 3, 4])
"""g, r, i, z."""
WAVELENGTHS_M = np.array([477e-9, 623e-9, 762e-9, 913e-9])
"""Of their middles."""
FIRST_DAY, LAST_DAY = -25.0, 70.0
_SNR = 5.0
_OTHER_BANDS = ((2, 0.4), (3, 0.15))
"""Index of a band that only some fields are seen in, and the share of them."""
_NIGHTLY_FIELDS = 0.3
"""Share of fields that are seen every night, some times in a row, in one band."""


@dataclass(frozen=True, slots=True)
class Visits:
    """The images a place on the sky is in, in no order."""

    days: FloatArray
    """Shape (m,), between ``FIRST_DAY`` and ``LAST_DAY``."""
    band: npt.NDArray[np.int64]
    """Shape (m,), index into ``BAND_CODES``."""
    limit_njy: FloatArray
    """Shape (m,): the faintest flux that is detected, five sigma."""


def visits(rng: np.random.Generator) -> Visits:
    """Images of one field: a pair of bands every few nights, or one band every night."""
    nightly = rng.random() < _NIGHTLY_FIELDS
    every = 1.0 if nightly else rng.choice([1.0, 2.0, 3.0])
    nights = np.arange(FIRST_DAY + rng.uniform(0.0, every), LAST_DAY, every)
    nights = nights[rng.random(len(nights)) < rng.uniform(0.5, 1.0)]
    if nightly:
        in_a_row = np.arange(int(rng.integers(2, 6))) * rng.uniform(0.0005, 0.03)
        days = (nights[:, np.newaxis] + in_a_row).ravel()
        band = np.full(len(days), int(rng.random() < 0.8))
    else:
        used = [0, 1] + [k for k, share in _OTHER_BANDS if rng.random() < share]
        seen = [nights[rng.random(len(nights)) < rng.uniform(0.6, 1.0)] for _ in used]
        days = np.concatenate([n + rng.normal(0.0, 0.05, len(n)) for n in seen])
        band = np.repeat(used, [len(n) for n in seen])
    depth_mag = rng.uniform(19.3, 21.2) + rng.normal(0.0, 0.3, len(days))
    clouds = np.where(rng.random(len(days)) < 0.1, rng.exponential(1.0, len(days)), 0.0)
    return Visits(days, band, flux_njy_of(depth_mag - clouds))


def photometry(flux_njy: FloatArray, seen: Visits, rng: np.random.Generator) -> FloatArray:
    """Days, measured fluxes, errors (nJy) and band codes, shape (4, m), of one object.

    What is not detected, or missed where the subtraction failed, says nothing but its limit: noise
    of a fifth of it.
    """
    relative = np.exp(rng.uniform(np.log(0.02), np.log(0.08), len(flux_njy)))
    error = np.hypot(seen.limit_njy / _SNR, relative * np.abs(flux_njy))
    flux = flux_njy + error * rng.standard_normal(len(flux_njy)) * 0.7
    missing = rng.uniform(0.0, 0.4) if rng.random() < 0.3 else 0.02
    silent = (np.abs(flux) < _SNR * error) | (rng.random(len(flux)) < missing)
    flux = np.where(silent, 0.0, flux)
    error = np.where(silent, seen.limit_njy / _SNR, error)
    return np.stack([seen.days, flux, error, BAND_CODES[seen.band].astype(np.float64)])


def detections(points: FloatArray) -> int:
    """How many positive detections ``photometry`` holds."""
    return int(np.sum(points[1] >= _SNR * points[2]))


def light_curves(
    name: str, class_name: Sequence[str], points: Sequence[FloatArray]
) -> LabelledLightCurves:
    """A data set of made-up objects, each with its class and its ``photometry``."""
    column = np.concatenate(points, axis=1)
    _, curves = grouped(
        np.repeat(np.arange(len(points)), [one.shape[1] for one in points]),
        {
            "mjd_tai": column[0] + 60_000.0,
            "flux_njy": column[1],
            "flux_err_njy": column[2],
            "band": column[3],
        },
    )
    truth = Truth(
        object_id=np.array([f"{name}{k}" for k in range(len(points))]),
        class_name=np.array(class_name),
        is_sn_ia=np.zeros(len(points), dtype=bool),
        redshift=np.full(len(points), np.nan),
    )
    return LabelledLightCurves(name, curves, truth, Surroundings.unknown(len(points)))
