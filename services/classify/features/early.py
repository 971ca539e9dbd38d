"""Features of a young transient's light curve: what can be said from its first points.

Bands g, r and i are described, each by itself and by their colours; other bands count as
detections only. The features look back ``HISTORY_DAYS`` from the newest detection, because that
is what a ZTF packet holds; LSST's year is cut to it, so that a feature means the same in both.

A point is a detection if the survey says so, or if it is forced photometry of
|flux| >= ``FORCED_DETECTION_SNR`` errors with no detection at the same time in the same band
(ZTF repeats its detections as forced photometry). All other forced photometry and upper limits
are non-detections, limited at five times their error.
"""

from __future__ import annotations

import numpy as np

from services.classify.features.base import FeatureDefinition, FeatureFamily, FeatureMatrix
from services.classify.features.early_kernel import (
    BAND_ROWS,
    COLOUR_ROWS,
    FIRST_BAND_ROW,
    FIRST_COLOUR_ROW,
    HISTORY_DAYS,
    describe,
)
from shared.alert_batch import AlertBatch
from shared.light_curves.ragged import RaggedLightCurves

BANDS = ("g", "r", "i")
COLOURS = (("g", "r"), ("r", "i"))

_OVERALL = (
    ("n_detections", "", "Detections of either sign, all bands."),
    ("n_negative_detections", "", "Detections of negative difference flux."),
    ("n_nights", "", "Nights with a positive detection; nights are half a day apart at least."),
    ("days_since_first_detection", "d", "Newest minus first positive detection."),
    (
        "days_from_limit_to_first_detection",
        "d",
        "First positive detection minus the last non-detection before it in the same band.",
    ),
    ("first_flux_over_limit", "", "First positive flux over that non-detection's 5-sigma limit."),
    (
        "n_contradicting_limits",
        "",
        "Non-detections since the first detection whose 5-sigma limit is under half the band's"
        " greatest flux so far.",
    ),
    ("snr_max", "", "Greatest flux over its error, positive detections."),
    ("snr_last", "", "Flux over its error of the newest positive detection."),
)
_PER_BAND = (
    ("n_detections_{b}", "", "Positive detections in {b}."),
    ("flux_max_{b}_njy", "nJy", "Greatest flux in {b}."),
    ("snr_max_{b}", "", "Greatest flux over its error in {b}."),
    ("last_over_max_{b}", "", "Newest over greatest flux in {b}."),
    ("first_over_max_{b}", "", "First over greatest flux in {b}."),
    ("days_since_max_{b}", "d", "Newest detection in any band minus time of greatest {b} flux."),
    ("days_first_to_last_{b}", "d", "Newest minus first positive detection in {b}."),
    (
        "slope_{b}_per_day",
        "1 / d",
        "Slope of a weighted line through the {b} fluxes, over their weighted mean; weights are"
        " inverse squares of error and 3 % of flux.",
    ),
    (
        "slope_error_{b}_per_day",
        "1 / d",
        "One-sigma error of slope_{b}_per_day.",
    ),
    (
        "recent_slope_{b}_per_day",
        "1 / d",
        "The same slope, points of the last eight days only.",
    ),
    ("chi2_line_{b}", "", "Chi-squared per degree of freedom about that line (three points)."),
    ("chi2_mean_{b}", "", "Chi-squared per degree of freedom about the weighted mean."),
    (
        "limit_over_max_{b}",
        "",
        "Lowest 5-sigma limit of {b} non-detections before the first {b} detection, over the"
        " greatest {b} flux.",
    ),
)
_PER_COLOUR = (
    ("colour_{a}{b}_max_mag", "mag", "{a} minus {b} magnitude of the greatest fluxes."),
    ("colour_{a}{b}_mean_mag", "mag", "{a} minus {b} magnitude of the weighted mean fluxes."),
    (
        "colour_{a}{b}_last_mag",
        "mag",
        "{a} minus {b} magnitude of the newest pair of detections within 1.5 days.",
    ),
    (
        "colour_{a}{b}_first_mag",
        "mag",
        "{a} minus {b} magnitude of the first pair of detections within 1.5 days.",
    ),
    (
        "colour_{a}{b}_slope_mag_per_day",
        "mag / d",
        "Last minus first such colour over the time between, if two days or more.",
    ),
    (
        "days_max_{a}_to_max_{b}",
        "d",
        "Time of greatest {b} flux minus time of greatest {a} flux.",
    ),
)


def _definitions() -> tuple[FeatureDefinition, ...]:
    entries = [FeatureDefinition(*row) for row in _OVERALL]
    for b in BANDS:
        entries += [FeatureDefinition(n.format(b=b), u, d.format(b=b)) for n, u, d in _PER_BAND]
    for a, b in COLOURS:
        entries += [
            FeatureDefinition(n.format(a=a, b=b), u, d.format(a=a, b=b)) for n, u, d in _PER_COLOUR
        ]
    return tuple(entries)


DEFINITIONS = _definitions()

if (
    len(_OVERALL) != FIRST_BAND_ROW
    or len(_PER_BAND) != BAND_ROWS
    or len(_PER_COLOUR) != COLOUR_ROWS
    or len(DEFINITIONS) != FIRST_COLOUR_ROW + COLOUR_ROWS * len(COLOURS)
):
    raise AssertionError("early.py and early_kernel.py disagree about the order of features")


def early_features(curves: RaggedLightCurves) -> FeatureMatrix:
    """Features of ``n`` light curves, shape (len(DEFINITIONS), n), NaN where missing."""
    values = np.full((len(curves), len(DEFINITIONS)), np.nan, dtype=np.float32)
    points = (curves.mjd_tai, curves.flux_njy, curves.flux_err_njy, curves.band, curves.kind)
    describe(curves.offsets, points, values)
    return values.T


def compute(batch: AlertBatch) -> FeatureMatrix:
    """Features of the alerts' light curves."""
    return early_features(batch.light_curves)


EARLY = FeatureFamily("early", DEFINITIONS, compute)

__all__ = ["DEFINITIONS", "EARLY", "HISTORY_DAYS", "early_features"]
