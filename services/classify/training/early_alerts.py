"""Cuts alerts out of whole light curves: what a broker would have seen on some early night.

Simulated light curves are deeper, redder and sparser than ZTF's. Some honest changes bring them
nearer, none of which the feature code can see:

- **Bands.** An object at redshift z seen in r, i, z looks like one at a lower redshift seen in
  g, r, i, with time running faster: (1 + z') = (1 + z) / 1.258, the mean of lambda_r/lambda_g and
  lambda_i/lambda_r. Where z allows, objects are also moved nearer by one or two bands.
- **Noise** is added so that the greatest signal to noise is spread from 8 to 300.
- **Brightness**: the peak is put between the magnitudes of a bright survey, evenly.
- **Limits.** What is under five sigma becomes an upper limit; in some curves limits or the i band
  are left out, as in surveys that do not give them. In some, points of full significance are
  missed too: near saturation, or where the subtraction fails, a packet holds the field's limit
  for an object that is magnitudes brighter (SN 2021rhu, 12.4 mag, in half of its nights).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.classify.features.early import HISTORY_DAYS
from services.classify.training.datasets.base import LabelledLightCurves
from shared.light_curves.bands import DETECTION, UPPER_LIMIT
from shared.light_curves.photometry import flux_njy_of
from shared.light_curves.ragged import RaggedLightCurves

_G, _I = 1, 3
STRETCH = (1.0, 1.258, 1.487)
"""Wavelength ratio by which moving 0, 1 or 2 bands shortens time (LSST bands)."""
BRIGHTEST_MAG, FAINTEST_MAG = 14.0, 20.5
"""AB magnitudes the peak of a moved object is put between."""
MISSING_SHARE = 0.3
"""Share of moved curves in which detections are missed."""
MOST_MISSED = 0.5
"""At most this share of the detections of such a curve."""
LEAST_REDSHIFT = (-np.inf, 0.22, 0.45)
_DETECTION_SNR = 5.0


@dataclass(frozen=True, slots=True)
class Cut:
    """How alerts are cut."""

    alerts_per_object: int
    """At most so many alerts of each version of an object."""
    versions: int = 1
    """How many differently degraded versions of each object; the first is as it is."""
    rare_versions: Mapping[str, int] = field(default_factory=dict)
    """The same for classes of few objects, by class."""
    min_detections: int = 3
    max_days: float = 25.0
    """Latest alert, days since the first detection in the packet's history."""


@dataclass(frozen=True, slots=True)
class EarlyAlerts:
    """Alerts cut from light curves, and which object each is of."""

    curves: RaggedLightCurves
    """As a packet holds them: up to ``HISTORY_DAYS`` before the newest detection."""
    object_index: npt.NDArray[np.int32]
    """Shape (n,): row of the data set."""
    version: npt.NDArray[np.int8]
    """Shape (n,): 0 for the object as its data set has it, else which degraded version."""
    days_since_first: npt.NDArray[np.float32]
    """Shape (n,): newest minus first positive detection in the history."""


Points = tuple[
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.int8],
]
"""Times, fluxes, errors and bands of one object."""


def degraded(points: Points, redshift: float, rng: np.random.Generator) -> Points:
    """Another look at an object: moved nearer where its redshift allows, brighter and noisier."""
    mjd, flux, err, band = points
    allowed = [moved for moved, least in enumerate(LEAST_REDSHIFT) if not redshift < least]
    moved = int(rng.choice(allowed)) if np.isfinite(redshift) else 0
    mjd = mjd[0] + (mjd - mjd[0]) / STRETCH[moved]
    band = (band - moved).astype(np.int8)
    greatest = max(float(np.max(flux)), 0.0)
    extra = greatest / float(np.exp(rng.uniform(np.log(8), np.log(300))))
    flux = flux + extra * rng.standard_normal(len(flux))
    peak = float(flux_njy_of(np.float64(rng.uniform(BRIGHTEST_MAG, FAINTEST_MAG))))
    # A real object, whose redshift a set does not give, keeps the brightness it was found at.
    brighter = peak / greatest if greatest > 0.0 and np.isfinite(redshift) else 1.0
    return mjd, flux * brighter, np.hypot(err, extra) * brighter, band


def _as_observed(
    points: Points, rng: np.random.Generator, *, drop: bool
) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Bands g, r, i only, and which points are detections; sometimes no limits, or no i."""
    mjd, flux, err, band = points
    last_band = _I - 1 if drop and rng.random() < 0.6 else _I
    keep = (band >= _G) & (band <= last_band) & (err > 0)
    is_detection = np.abs(flux) >= _DETECTION_SNR * err
    if drop and rng.random() < 0.3:
        keep &= is_detection
    elif drop and rng.random() < MISSING_SHARE:
        missed = is_detection & (rng.random(len(err)) < rng.uniform(0.0, MOST_MISSED))
        is_detection = is_detection & ~missed
        err = np.where(missed, np.min(err), err)
    return (mjd[keep], flux[keep], err[keep], band[keep]), is_detection[keep]


def _alert_spans(
    mjd: npt.NDArray[np.float64],
    flux: npt.NDArray[np.float64],
    is_detection: npt.NDArray[np.bool_],
    cut: Cut,
) -> list[tuple[int, int, float]]:
    """First point, end and age of every alert that qualifies."""
    spans = []
    positive = np.flatnonzero(is_detection & (flux > 0))
    for end in positive:
        start = int(np.searchsorted(mjd, mjd[end] - HISTORY_DAYS))
        within = positive[(positive >= start) & (positive <= end)]
        age = float(mjd[end] - mjd[within[0]])
        if len(within) >= cut.min_detections and age <= cut.max_days:
            spans.append((start, int(end) + 1, age))
    return spans


def _between(points: Points, start: int, end: int) -> Points:
    mjd, flux, err, band = points
    return mjd[start:end], flux[start:end], err[start:end], band[start:end]


def cut_alerts(dataset: LabelledLightCurves, cut: Cut, seed: int, every: int = 1) -> EarlyAlerts:
    """Alerts of every ``every``-th object of a data set, the same for the same seed.

    The first version of an object is as its data set has it. The class says only how many.
    """
    rng = np.random.default_rng(seed)
    curves, redshift = dataset.curves, dataset.truth.redshift
    pieces: list[tuple[Points, npt.NDArray[np.bool_]]] = []
    rows: list[tuple[int, int, float]] = []
    for row in range(0, len(dataset), every):
        here = slice(int(curves.offsets[row]), int(curves.offsets[row + 1]))
        whole: Points = (
            curves.mjd_tai[here],
            curves.flux_njy[here].astype(np.float64),
            curves.flux_err_njy[here].astype(np.float64),
            curves.band[here],
        )
        versions = cut.rare_versions.get(str(dataset.truth.class_name[row]), cut.versions)
        for version in range(versions):
            seen = whole if version == 0 else degraded(whole, redshift[row], rng)
            points, is_detection = _as_observed(seen, rng, drop=version > 0)
            spans = _alert_spans(points[0], points[1], is_detection, cut)
            if len(spans) > cut.alerts_per_object:
                chosen = np.sort(rng.choice(len(spans), cut.alerts_per_object, replace=False))
                spans = [spans[k] for k in chosen]
            for start, end, age in spans:
                pieces.append((_between(points, start, end), is_detection[start:end]))
                rows.append((row, version, age))
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    return EarlyAlerts(
        curves=_ragged(pieces),
        object_index=table[:, 0].astype(np.int32),
        version=table[:, 1].astype(np.int8),
        days_since_first=table[:, 2].astype(np.float32),
    )


def _ragged(pieces: list[tuple[Points, npt.NDArray[np.bool_]]]) -> RaggedLightCurves:
    """Join pieces into ragged light curves, what is not detected as upper limits."""
    lengths = [len(is_detection) for _, is_detection in pieces]
    mjd, flux, err, band = (
        np.concatenate([points[k] for points, _ in pieces] or [np.zeros(0)]) for k in range(4)
    )
    is_detection = np.concatenate([detected for _, detected in pieces] or [np.zeros(0, bool)])
    return RaggedLightCurves(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
        mjd_tai=mjd.astype(np.float64),
        flux_njy=np.where(is_detection, flux, np.nan).astype(np.float32),
        flux_err_njy=err.astype(np.float32),
        band=band.astype(np.int8),
        kind=np.where(is_detection, DETECTION, UPPER_LIMIT).astype(np.int8),
    )
