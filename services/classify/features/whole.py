"""Features of a whole light curve, of any length and in up to six bands.

They describe a year of forced photometry as well as the month a ZTF packet holds. Times are
counted from one *reference time*, that of the most significant smoothed peak of any band; fluxes
are smoothed within a band by a Gaussian of two days. With a host's redshift, times and
brightness are also given as the object saw them.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from services.classify.features.base import FeatureDefinition, FeatureFamily, FeatureMatrix
from services.classify.features.context import host_redshift
from services.classify.features.whole_kernel import (
    BAND_ROWS,
    COLOUR_PHASES,
    FIRST_BAND_ROW,
    N_ROWS,
    OVERALL_ROWS,
    PHASES_DAYS,
    describe,
)
from shared.alert_batch import AlertBatch
from shared.light_curves.bands import BANDS
from shared.light_curves.photometry import AB_ZERO_POINT_NJY
from shared.light_curves.ragged import RaggedLightCurves

PAIRS = tuple(itertools.pairwise(BANDS))

_OVERALL = (
    ("whole_n_points", "", "Usable points of any kind."),
    ("whole_n_5sigma", "", "Points of S/N 5 or more."),
    ("whole_n_negative_5sigma", "", "Points of S/N -5 or less."),
    ("log_mean_square_snr", "", "log10 of the mean squared S/N."),
    ("snr_concentration", "", "Greatest S/N over the sum of all positive S/N."),
    ("days_observed", "d", "Last minus first point."),
    ("days_5sigma_span", "d", "Last minus first point of S/N 5."),
    ("days_first_5sigma_to_reference", "d", "Reference time minus first point of S/N 5."),
    ("days_reference_to_last_5sigma", "d", "Last point of S/N 5 minus reference time."),
    ("days_first_5sigma_to_end", "d", "Last point of any kind minus first point of S/N 5."),
    ("n_seasons_5sigma", "", "Groups of points of S/N 5 that lie over 60 days apart."),
    (
        "log_far_mean_square_snr",
        "",
        "log10 of the mean squared S/N more than 80 days before or 250 after the reference time.",
    ),
    ("n_3sigma_before", "", "Points of S/N 3, 80 to 3 days before the reference time."),
    ("n_3sigma_after", "", "Points of S/N 3, 3 to 250 days after the reference time."),
    ("whole_n_nights_5sigma", "", "Nights, half a day apart at least, with a point of S/N 5."),
    ("days_quiet_to_first_5sigma", "d", "First point of S/N 5 minus the last point before it."),
    ("first_night_snr", "", "Greatest S/N of the first night of S/N 5."),
    ("first_night_log_flux", "dex(nJy)", "log10 of the flux of that point."),
    ("whole_n_bands_5sigma", "", "Bands with a point of S/N 5."),
    *(
        (f"peak_colour_{a}{b}_mag", "mag", f"{a} minus {b} magnitude of the smoothed peaks.")
        for a, b in PAIRS
    ),
)
_PER_BAND = (
    ("whole_n_points_{b}", "", "Usable points in {b}."),
    ("whole_snr_max_{b}", "", "Greatest S/N in {b}."),
    ("share_3sigma_{b}", "", "Share of the {b} points of S/N 3 or more."),
    ("share_negative_3sigma_{b}", "", "Share of the {b} points of S/N -3 or less."),
    ("peak_log_flux_{b}", "dex(nJy)", "log10 of the smoothed {b} peak."),
    ("least_over_peak_{b}", "", "Least smoothed flux over the smoothed {b} peak."),
    ("mean_snr_{b}", "", "Weighted mean {b} flux over its error."),
    ("log_chi2_mean_{b}", "", "log10 of chi-squared per degree of freedom about the {b} mean."),
    ("skew_{b}", "", "Skewness of the {b} fluxes."),
    ("kurtosis_{b}", "", "Fourth moment of the {b} fluxes over the variance squared."),
    ("eta_{b}", "", "Von Neumann's ratio: mean squared step between {b} points over variance."),
    ("stetson_k_{b}", "", "Stetson's K of the {b} fluxes (1996, PASP 108, 851)."),
    (
        "log_step_chi2_{b}",
        "",
        "log10 of the mean squared step, in errors, between {b} points within 1.5 days.",
    ),
    ("beyond_1p5sigma_{b}", "", "Share of {b} points beyond 1.5 standard deviations."),
    ("mean_over_sigma_{b}", "", "Weighted mean over standard deviation of the {b} fluxes."),
    ("days_reference_to_peak_{b}", "d", "Time of the smoothed {b} peak minus reference time."),
    ("days_half_rise_{b}", "d", "From half the smoothed {b} peak to the peak."),
    ("days_half_fall_{b}", "d", "From the smoothed {b} peak to half of it."),
    ("days_fifth_fall_{b}", "d", "From the smoothed {b} peak to a fifth of it."),
    ("equivalent_width_{b}", "d", "Integral of positive smoothed {b} flux over its peak."),
    ("rise_{b}_mag_per_day", "mag / d", "Slope of the 20 days before the {b} peak."),
    ("fade_{b}_mag_per_day", "mag / d", "Slope from 3 to 25 days after the {b} peak."),
    ("second_over_first_{b}", "", "Second greatest over greatest {b} flux."),
)
_REST_FRAME = (
    ("absolute_peak_{b}_mag", "mag", "Absolute AB magnitude of the {b} peak; flat LCDM, 70, 0.3."),
    ("rest_days_half_rise_{b}", "d", "days_half_rise_{b} over 1 + z of the host."),
    ("rest_days_half_fall_{b}", "d", "days_half_fall_{b} over 1 + z of the host."),
    ("rest_days_fifth_fall_{b}", "d", "days_fifth_fall_{b} over 1 + z of the host."),
    ("rest_rise_{b}_mag_per_day", "mag / d", "rise_{b}_mag_per_day times 1 + z of the host."),
    ("rest_fade_{b}_mag_per_day", "mag / d", "fade_{b}_mag_per_day times 1 + z of the host."),
)
_LOG_FLUX_ROW = 4
_TIME_ROWS, _RATE_ROWS = (16, 17, 18), (20, 21)


def _signed(days: float) -> str:
    return f"{'m' if days < 0 else 'p'}{abs(days):.0f}"


def _definitions() -> tuple[FeatureDefinition, ...]:
    rows = list(_OVERALL)
    for b in BANDS:
        rows += [(n.format(b=b), u, d.format(b=b)) for n, u, d in _PER_BAND]
    rows += [
        (f"shape_{b}_{_signed(p)}d", "", f"Flux {p:g} days from the reference time over {b} peak.")
        for b in BANDS
        for p in PHASES_DAYS
    ]
    for a, b in PAIRS:
        for phase in (PHASES_DAYS[k] for k in COLOUR_PHASES):
            meaning = f"({a} - {b}) / (|{a}| + |{b}|) {phase:g} days from the reference time."
            rows.append((f"contrast_{a}{b}_{_signed(phase)}d", "", meaning))
    for b in BANDS:
        rows += [(n.format(b=b), u, d.format(b=b)) for n, u, d in _REST_FRAME]
    return tuple(FeatureDefinition(*row) for row in rows)


DEFINITIONS = _definitions()

if (
    len(_OVERALL) != OVERALL_ROWS
    or len(_PER_BAND) != BAND_ROWS
    or len(DEFINITIONS) != N_ROWS + len(BANDS) * len(_REST_FRAME)
):
    raise AssertionError("whole.py and whole_kernel.py disagree about the order of features")


def _distance_modulus_table() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Redshift and distance modulus; flat LCDM, H0 = 70 km/s/Mpc, matter 0.3."""
    z = np.concatenate([[0.0], np.geomspace(1e-4, 10.0, 2_000)])
    inverse = 1.0 / np.sqrt(0.3 * (1.0 + z) ** 3 + 0.7)
    steps = 0.5 * np.diff(z) * (inverse[1:] + inverse[:-1])
    distance_mpc = 299_792.458 / 70.0 * np.cumsum(steps) * (1.0 + z[1:])
    return z[1:], 5.0 * np.log10(distance_mpc) + 25.0


_Z, _MODULUS = _distance_modulus_table()


def distance_modulus_mag(redshift: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance modulus of redshifts above zero, same shape; NaN stays NaN."""
    return np.asarray(np.interp(redshift, _Z, _MODULUS, left=np.nan), dtype=np.float64)


def whole_features(curves: RaggedLightCurves, redshift: npt.NDArray[np.float64]) -> FeatureMatrix:
    """Features of ``n`` light curves, shape (len(DEFINITIONS), n), NaN where missing.

    Parameters
    ----------
    curves
        Light curves, each in order of time.
    redshift
        Shape (n,): of the host; NaN, or zero, where there is none.
    """
    values = np.full((len(DEFINITIONS), len(curves)), np.nan, dtype=np.float32)
    rows = np.full((len(curves), N_ROWS), np.nan, dtype=np.float32)
    points = (curves.mjd_tai, curves.flux_njy, curves.flux_err_njy, curves.band, curves.kind)
    describe(curves.offsets, points, rows)
    values[:N_ROWS] = rows.T
    with_host = np.flatnonzero(redshift > 0.0)
    if len(with_host) == 0:
        return values
    stretch = 1.0 + redshift[with_host]
    modulus = distance_modulus_mag(redshift[with_host])
    at = N_ROWS
    for b in range(len(BANDS)):
        own = rows[with_host, FIRST_BAND_ROW + b * BAND_ROWS : FIRST_BAND_ROW + (b + 1) * BAND_ROWS]
        values[at, with_host] = AB_ZERO_POINT_NJY - 2.5 * own[:, _LOG_FLUX_ROW] - modulus
        for row in _TIME_ROWS:
            at += 1
            values[at, with_host] = own[:, row] / stretch
        for row in _RATE_ROWS:
            at += 1
            values[at, with_host] = own[:, row] * stretch
        at += 1
    return values


def compute(batch: AlertBatch) -> FeatureMatrix:
    """Features of the alerts' light curves."""
    return whole_features(batch.light_curves, host_redshift(batch))


WHOLE = FeatureFamily("whole", DEFINITIONS, compute, published=False)
