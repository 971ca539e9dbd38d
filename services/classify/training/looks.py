"""Other looks at the same object: nearer, noisier, cut short, as another survey would show it.

Simulated sets are deep and whole; a stream gives a month, a file what a telescope caught. Each
look turns all light curves of a set into as many others. All are vectorised; none sees the class.

- ``whole``: as it is.
- ``lsst_alert``: up to a random detection, a year back.
- ``ztf_alert``: moved nearer, brighter, noisier, g, r and sometimes i, a month back, limits for
  what is not detected.
- ``detections``: moved nearer, brighter, noisier, what is detected only, sometimes cut at a random
  one.

Simulated objects are made as bright as those of a bright survey: brightness must not be a sign of
a real one, and so of the classes that real sets have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classify.training.datasets.base import LabelledLightCurves
from services.classify.training.early_alerts import (
    BRIGHTEST_MAG,
    FAINTEST_MAG,
    LEAST_REDSHIFT,
    STRETCH,
)
from shared.light_curves.bands import DETECTION, UPPER_LIMIT
from shared.light_curves.photometry import flux_njy_of
from shared.light_curves.ragged import RaggedLightCurves

LOOKS = ("whole", "lsst_alert", "ztf_alert", "detections")
LEAST_DETECTIONS = 3
_SNR = 5.0
_G, _I = 1, 3
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Look:
    """Light curves of some objects of a set, changed."""

    curves: RaggedLightCurves
    object_index: npt.NDArray[np.int64]
    """Shape (n,): row of the data set."""
    redshift_factor: npt.NDArray[np.float64]
    """Shape (n,): (1 + z) of the look over that of the object; 1 unless it was moved."""


def is_positive_detection(curves: RaggedLightCurves) -> BoolArray:
    """Shape (m,): S/N of five or more."""
    return np.asarray(curves.flux_njy >= _SNR * curves.flux_err_njy)


def until(
    curves: RaggedLightCurves, end_mjd: npt.NDArray[np.float64], days: float
) -> RaggedLightCurves:
    """Each curve from ``days`` before its end to its end, shape (n,); a NaN end leaves nothing."""
    end = end_mjd[curves.alert_index]
    return curves.points((curves.mjd_tai <= end) & (curves.mjd_tai >= end - days))


def random_detection(
    curves: RaggedLightCurves, least: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Time of a random positive detection of each curve, the ``least``-th or later; else NaN."""
    positive = np.flatnonzero(is_positive_detection(curves))
    owner = curves.alert_index[positive]
    counts = np.bincount(owner, minlength=len(curves))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    # Early ones as often as late ones: the square of a uniform number.
    spread = np.maximum(counts - least + 1, 0)
    pick = starts + least - 1 + np.floor(rng.random(len(curves)) ** 2 * spread).astype(np.int64)
    times = np.full(len(curves), np.nan)
    enough = counts >= least
    times[enough] = curves.mjd_tai[positive[pick[enough]]]
    return times


def moved(
    curves: RaggedLightCurves, redshift: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[RaggedLightCurves, npt.NDArray[np.float64]]:
    """Nearer by up to two bands where redshift allows, brighter, noisier; the factor of 1 + z."""
    n = len(curves)
    most = np.zeros(n, dtype=np.int64)
    for bands in (1, 2):
        most[redshift >= LEAST_REDSHIFT[bands]] = bands
    shift = np.floor(rng.random(n) * (most + 1)).astype(np.int64)
    stretch = np.array(STRETCH)[shift]
    index = curves.alert_index
    first = curves.mjd_tai[np.minimum(curves.offsets[:-1], max(len(index) - 1, 0))]
    greatest = np.zeros(n)
    np.maximum.at(greatest, index, np.nan_to_num(curves.flux_njy).astype(np.float64))
    extra = (greatest / np.exp(rng.uniform(np.log(8.0), np.log(300.0), n)))[index]
    mjd = first[index] + (curves.mjd_tai - first[index]) / stretch[index]
    peak = flux_njy_of(rng.uniform(BRIGHTEST_MAG, FAINTEST_MAG, n))
    brighter = np.divide(peak, greatest, out=np.ones(n), where=greatest > 0.0)[index]
    flux = (curves.flux_njy + extra * rng.standard_normal(len(mjd))) * brighter
    noisy = RaggedLightCurves(
        offsets=curves.offsets,
        mjd_tai=mjd,
        flux_njy=flux.astype(np.float32),
        flux_err_njy=(np.hypot(curves.flux_err_njy, extra) * brighter).astype(np.float32),
        band=(curves.band - shift[index]).astype(np.int8),
        kind=curves.kind,
    )
    return noisy.points(noisy.band >= 0), 1.0 / stretch


def look_at(dataset: LabelledLightCurves, look: str, rng: np.random.Generator) -> Look:
    """One look at every object of a set that shows three detections in it."""
    curves, factor = dataset.curves, np.ones(len(dataset))
    if look == "lsst_alert":
        curves = until(curves, random_detection(curves, LEAST_DETECTIONS, rng), 365.0)
    elif look in {"ztf_alert", "detections"}:
        if not np.all(np.isnan(dataset.truth.redshift)):
            curves, factor = moved(curves, dataset.truth.redshift, rng)
        curves = _few_bands(curves, rng) if look == "ztf_alert" else curves
        detected = np.abs(curves.flux_njy) >= _SNR * curves.flux_err_njy
        end = random_detection(curves, LEAST_DETECTIONS, rng)
        if look == "ztf_alert":
            silent = rng.random(len(curves)) < 0.3
            curves = _with_limits(curves, detected)
            curves = curves.points(detected | ~silent[curves.alert_index])
            curves = until(curves, end, 30.0)
        else:
            curves = curves.points(detected & (curves.flux_njy > 0.0))
            end[~np.isnan(end) & (rng.random(len(curves)) < 0.5)] = np.inf
            curves = _ended(curves, end)
    counts = np.bincount(curves.alert_index[is_positive_detection(curves)], minlength=len(curves))
    rows = np.flatnonzero(counts >= LEAST_DETECTIONS)
    return Look(curves.curves(rows), rows, factor[rows])


def _ended(curves: RaggedLightCurves, end: npt.NDArray[np.float64]) -> RaggedLightCurves:
    return curves.points(curves.mjd_tai <= end[curves.alert_index])


def _few_bands(curves: RaggedLightCurves, rng: np.random.Generator) -> RaggedLightCurves:
    """Bands g and r, of four objects in ten i too."""
    last = np.where(rng.random(len(curves)) < 0.6, _I - 1, _I)[curves.alert_index]
    return curves.points((curves.band >= _G) & (curves.band <= last))


def _with_limits(curves: RaggedLightCurves, detected: BoolArray) -> RaggedLightCurves:
    """What is not detected as upper limits."""
    return RaggedLightCurves(
        offsets=curves.offsets,
        mjd_tai=curves.mjd_tai,
        flux_njy=np.where(detected, curves.flux_njy, np.nan).astype(np.float32),
        flux_err_njy=curves.flux_err_njy,
        band=curves.band,
        kind=np.where(detected, DETECTION, UPPER_LIMIT).astype(np.int8),
    )
