"""Parametric fits, band by band: Bazin, the rising sigmoid, Villar. Behind a budget of time.

Not among ``FAMILIES``: no model of the stream needs them (docs/classifiers.md says what they would
add). ``tocsin classify FILE --features OUT --fits`` writes them.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from services.classify.features.base import FeatureDefinition, FeatureMatrix
from services.classify.features.fits_kernel import BAZIN, N_PARAMETERS, SIGMOID, VILLAR, fit
from shared.light_curves.bands import BANDS, UPPER_LIMIT
from shared.light_curves.ragged import RaggedLightCurves

_SHAPES = (
    (BAZIN, "bazin", ("amplitude", "t0_days", "fall_days", "rise_days"), (2, 3)),
    (SIGMOID, "sigmoid", ("amplitude", "rate_per_day", "t0_days"), (1,)),
    (
        VILLAR,
        "villar",
        ("amplitude", "t0_days", "plateau_days", "plateau_drop", "rise_days", "fall_days"),
        (2, 4, 5),
    ),
)
"""Shape, name, parameters, and which of them are fitted as logarithms."""
_UNITS = {"days": "d", "per_day": "1 / d"}


def _definitions() -> tuple[FeatureDefinition, ...]:
    rows = []
    for b in BANDS:
        for _, name, parameters, _ in _SHAPES:
            for one in parameters:
                unit = "1 / d" if one.endswith("per_day") else "d" if one.endswith("days") else ""
                meaning = f"{one.replace('_', ' ')} of the {name} fit in {b}, flux over its peak."
                rows.append(FeatureDefinition(f"{name}_{one}_{b}", unit, meaning))
            meaning = f"Chi-squared per degree of freedom of the {name} fit in {b}."
            rows.append(FeatureDefinition(f"{name}_chi2_{b}", "", meaning))
    return tuple(rows)


DEFINITIONS = _definitions()
NAMES = tuple(d.name for d in DEFINITIONS)


def fitted_features(curves: RaggedLightCurves, budget_s: float) -> FeatureMatrix:
    """Fits of ``n`` light curves, shape (len(NAMES), n); NaN where there are too few points.

    Parameters
    ----------
    curves
        Light curves, each in order of time.
    budget_s
        CPU seconds after which no further light curve is begun; the rest stays NaN.
    """
    values = np.full((len(curves), len(NAMES)), np.nan, dtype=np.float32)
    start = time.thread_time()
    for i in range(len(curves)):
        if time.thread_time() - start > budget_s:
            break
        here = slice(int(curves.offsets[i]), int(curves.offsets[i + 1]))
        usable = (curves.flux_err_njy[here] > 0.0) & (curves.kind[here] != UPPER_LIMIT)
        usable &= np.isfinite(curves.flux_njy[here])
        at = 0
        for code in range(len(BANDS)):
            keep = usable & (curves.band[here] == code)
            mjd = curves.mjd_tai[here][keep]
            flux = curves.flux_njy[here][keep].astype(np.float64)
            error = curves.flux_err_njy[here][keep].astype(np.float64)
            at = _fit_band(mjd, flux, error, values[i], at)
    return values.T


def _fit_band(
    mjd: npt.NDArray[np.float64],
    flux: npt.NDArray[np.float64],
    error: npt.NDArray[np.float64],
    row: npt.NDArray[np.float32],
    at: int,
) -> int:
    """Fill one band's features from ``at`` on; returns where the next band's begin."""
    peak = int(np.argmax(flux)) if len(flux) else 0
    for shape, _, names, logarithms in _SHAPES:
        number = N_PARAMETERS[shape]
        # The sigmoid describes the rise only, the others all of it.
        end = peak + 1 if shape == SIGMOID else len(flux)
        if end > number and flux[peak] > 0.0:
            t, f = mjd[:end] - mjd[peak], flux[:end] / flux[peak]
            weight = 1.0 / ((error[:end] / flux[peak]) ** 2 + 1e-4)
            p = np.zeros(6)
            chi2 = fit(shape, number, t, f, weight, p)
            p[list(logarithms)] = np.exp(np.clip(p[list(logarithms)], -20.0, 20.0))
            row[at : at + number] = p[:number]
            row[at + number] = chi2 / (end - number)
        at += len(names) + 1
    return at


__all__ = ["DEFINITIONS", "NAMES", "fitted_features"]
