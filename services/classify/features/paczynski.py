"""Features of a point lens: a fit, so made only for light curves that deserve it.

Not among ``FAMILIES``, which every alert pays for; the microlensing classifier asks for them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.classify.features.base import FeatureDefinition, FeatureMatrix
from services.classify.features.paczynski_kernel import LEAST_POINTS, N_ROWS, describe
from shared.light_curves.bands import BANDS, UPPER_LIMIT
from shared.light_curves.ragged import RaggedLightCurves

DEFINITIONS = tuple(
    FeatureDefinition(*row)
    for row in (
        ("lens_log_chi2_constant", "", "log10 of chi-squared per point about each band's mean."),
        ("lens_log_chi2_fit", "", "The same about Paczyński's curve."),
        ("lens_improvement", "", "One minus chi-squared of the curve over that of the mean."),
        ("lens_einstein_days", "d", "Einstein crossing time of the fit."),
        ("lens_u0", "", "Least impact parameter of the fit, Einstein radii."),
        ("lens_log_chi2_inside", "", "log10 of chi-squared per point within 1.5 tE of t0."),
        ("lens_log_chi2_outside", "", "The same outside."),
        ("lens_share_inside", "", "Share of the points within 1.5 tE of t0."),
        ("lens_n_on_poorer_side", "", "Points within 1.5 tE before t0, or after, if fewer."),
        ("lens_n_hot", "", "Points within 1.5 tE that lie 3 scatters above the median."),
        ("lens_asymmetry", "", "Mean residual before t0 minus that after, absolute, in errors."),
        ("lens_far_over_peak", "", "Greatest smoothed deviation outside over the greatest of all."),
        ("lens_least_over_peak", "", "Least over greatest smoothed deviation from the median."),
        ("lens_beyond_outside", "", "Share of outside points 3 scatters from the median."),
        ("lens_log_peak", "", "log10 of the greatest smoothed deviation, in scatters."),
        ("lens_span_over_einstein", "", "Length of the light curve over tE."),
        ("lens_skew", "", "Skewness of the deviations from the median."),
        ("lens_eta", "", "Von Neumann's ratio of the deviations from the median."),
        ("lens_place", "", "Where in the light curve t0 lies: 0 begin, 1 end."),
        ("lens_days_off_over_einstein", "", "How far t0 lies outside the light curve, over tE."),
    )
)
NAMES = tuple(d.name for d in DEFINITIONS)
UNITS = {d.name: d.unit for d in DEFINITIONS}

if len(DEFINITIONS) != N_ROWS:
    raise AssertionError("paczynski.py and paczynski_kernel.py disagree about the features")


def is_usable(curves: RaggedLightCurves) -> npt.NDArray[np.bool_]:
    """Which points, shape (m,), the fit uses: a flux or a limit, an error, a known band."""
    has_flux = np.isfinite(curves.flux_njy) | (curves.kind == UPPER_LIMIT)
    known = (curves.band >= 0) & (curves.band < len(BANDS))
    return np.asarray((curves.flux_err_njy > 0.0) & has_flux & known)


def paczynski_features(
    curves: RaggedLightCurves,
) -> tuple[FeatureMatrix, npt.NDArray[np.float64]]:
    """Features of ``n`` light curves, shape (len(NAMES), n), and t0, shape (n,), MJD TAI.

    NaN below ``LEAST_POINTS`` usable points.
    """
    values = np.full((len(curves), N_ROWS), np.nan, dtype=np.float32)
    when = np.full(len(curves), np.nan)
    points = (curves.mjd_tai, curves.flux_njy, curves.flux_err_njy, curves.band, curves.kind)
    describe(curves.offsets, points, values, when)
    return values.T, when


__all__ = ["DEFINITIONS", "LEAST_POINTS", "NAMES", "UNITS", "is_usable", "paczynski_features"]
