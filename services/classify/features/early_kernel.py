"""The compiled loop behind ``early``: each light curve is read a few times, point by point.

Rows of the result are in the order of ``early.DEFINITIONS``: overall features, then
``BAND_ROWS`` for each of g, r, i, then ``COLOUR_ROWS`` for g-r and r-i.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from shared.light_curves.bands import DETECTION, FORCED

HISTORY_DAYS = 30.0
"""How far back the features look: what a ZTF packet holds."""
FORCED_DETECTION_SNR = 5.0
"""Forced photometry of this significance counts as a detection."""

FIRST_BAND_ROW = 9
BAND_ROWS = 13
FIRST_COLOUR_ROW = FIRST_BAND_ROW + 3 * BAND_ROWS
COLOUR_ROWS = 6

_G = 1  # band code; r and i follow (shared.light_curves.bands.BANDS)
_SAME_TIME_DAYS = 1e-3
_NIGHT_DAYS = 0.5
_PAIR_DAYS = 1.5
_COLOUR_LEVER_DAYS = 2.0
_RECENT_DAYS = 8.0
_FLUX_FLOOR = 0.03  # of the flux: calibration, and that light curves are not straight lines
_MAG = -2.5 / float(np.log(10.0))

_POSITIVE, _NEGATIVE, _LIMIT, _USELESS = 1, -1, 0, 2


class _Points(NamedTuple):
    """The flat arrays of all light curves, and what each point is taken for."""

    mjd: Any
    flux: Any
    err: Any
    band: Any
    kind: Any
    mark: Any


@njit(cache=True, nogil=True)
def _is_repeat(p: _Points, j: int, first: int, end: int) -> bool:
    """Whether forced point j stands beside a detection of its band, or after its own twin."""
    k = j - 1
    while k >= first and p.mjd[j] - p.mjd[k] < _SAME_TIME_DAYS:
        if p.band[k] == p.band[j]:
            return True
        k -= 1
    k = j + 1
    while k < end and p.mjd[k] - p.mjd[j] < _SAME_TIME_DAYS:
        if p.band[k] == p.band[j] and p.kind[k] == DETECTION:
            return True
        k += 1
    return False


@njit(cache=True, nogil=True)
def _mark(p: _Points, first: int, end: int) -> float:
    """Mark every point; return the time of the newest detection, NaN if there is none."""
    newest = np.nan
    for j in range(first, end):
        p.mark[j] = _USELESS
        if not p.err[j] > 0.0:
            continue
        if p.kind[j] != DETECTION and p.kind[j] != FORCED:
            p.mark[j] = _LIMIT
            continue
        if not np.isfinite(p.flux[j]):
            continue
        if p.kind[j] == FORCED:
            if _is_repeat(p, j, first, end):
                continue
            if abs(p.flux[j]) < FORCED_DETECTION_SNR * p.err[j]:
                p.mark[j] = _LIMIT
                continue
        p.mark[j] = _POSITIVE if p.flux[j] > 0.0 else _NEGATIVE
        newest = p.mjd[j]
    return newest


@njit(cache=True, nogil=True)
def _add(sums: Any, t: float, f: float, err: float) -> None:
    """Add a point to the weighted sums 1, t, tt, f, ft, ff."""
    w = 1.0 / (err**2 + (_FLUX_FLOOR * f) ** 2)
    sums[0] += w
    sums[1] += w * t
    sums[2] += w * t * t
    sums[3] += w * f
    sums[4] += w * f * t
    sums[5] += w * f * f


@njit(cache=True, nogil=True)
def _line(s: Any) -> tuple[float, float, float]:
    """Slope of the weighted line and its error, over the mean flux; its chi-squared."""
    spread = s[0] * s[2] - s[1] * s[1]
    if not spread > 1e-6 * s[0] * s[0]:  # points less than some minutes apart
        return np.nan, np.nan, np.nan
    slope = (s[0] * s[4] - s[1] * s[3]) / spread
    chi2 = s[5] - slope * s[4] - (s[3] - slope * s[1]) / s[0] * s[3]
    mean = s[3] / s[0]
    return slope / mean, np.sqrt(s[0] / spread) / mean, max(chi2, 0.0)


@njit(cache=True, nogil=True)
def _describe_band(
    p: _Points, span: tuple[int, int], code: int, rows: Any
) -> tuple[float, float, float]:
    """Fill the rows of one band; return greatest flux, weighted mean flux, time of greatest."""
    newest = p.mjd[span[1] - 1]
    n, n_recent, snr_max, limit = 0, 0, 0.0, np.inf
    f_max, f_first, f_last, t_max, t_first, t_last = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    sums, recent = np.zeros(6), np.zeros(6)
    for j in range(span[0], span[1]):
        if p.band[j] != code:
            continue
        f, t, err = float(p.flux[j]), p.mjd[j] - newest, float(p.err[j])
        if p.mark[j] == _LIMIT and n == 0:
            limit = min(limit, 5.0 * err)
        if p.mark[j] != _POSITIVE:
            continue
        if n == 0:
            t_first, f_first = t, f
        n += 1
        t_last, f_last = t, f
        if f > f_max:
            f_max, t_max = f, t
        snr_max = max(snr_max, f / err)
        _add(sums, t, f, err)
        if t >= -_RECENT_DAYS:
            n_recent += 1
            _add(recent, t, f, err)
    rows[0] = n
    if n == 0:
        return np.nan, np.nan, np.nan
    mean = sums[3] / sums[0]
    rows[1:7] = f_max, snr_max, f_last / f_max, f_first / f_max, -t_max, t_last - t_first
    if n >= 2:
        rows[7], rows[8], chi2 = _line(sums)
        rows[11] = max(sums[5] - sums[3] * mean, 0.0) / (n - 1)
        if n >= 3:
            rows[10] = chi2 / (n - 2)
    if n_recent >= 2:
        rows[9] = _line(recent)[0]
    if limit < np.inf:
        rows[12] = limit / f_max
    return f_max, mean, newest + t_max


@njit(cache=True, nogil=True)
def _describe_colour(p: _Points, span: tuple[int, int], blue: int, rows: Any) -> None:
    """Fill the colours of the first and the newest pair of nearby detections, and their slope."""
    t_blue, t_red, f_blue, f_red = -np.inf, -np.inf, 0.0, 0.0
    n, t_first, c_first, t_last, c_last = 0, 0.0, 0.0, 0.0, 0.0
    for j in range(span[0], span[1]):
        if p.mark[j] != _POSITIVE:
            continue
        if p.band[j] == blue:
            t_blue, f_blue = p.mjd[j], float(p.flux[j])
        elif p.band[j] == blue + 1:
            t_red, f_red = p.mjd[j], float(p.flux[j])
        else:
            continue
        if abs(t_blue - t_red) <= _PAIR_DAYS:
            t_last, c_last = 0.5 * (t_blue + t_red), _MAG * np.log(f_blue / f_red)
            if n == 0:
                t_first, c_first = t_last, c_last
            n += 1
    if n > 0:
        rows[2] = c_last
        rows[3] = c_first
        if t_last - t_first >= _COLOUR_LEVER_DAYS:
            rows[4] = (c_last - c_first) / (t_last - t_first)


@njit(cache=True, nogil=True)
def _describe_all(p: _Points, span: tuple[int, int], rows: Any) -> None:
    """Fill the overall rows of one light curve."""
    n = n_negative = n_nights = n_contradicting = 0
    t_first, t_last, t_night, snr_max, snr_last = 0.0, 0.0, -np.inf, 0.0, 0.0
    gap, over = np.nan, np.nan
    limit_time, limit_flux, greatest = np.full(6, np.nan), np.full(6, np.nan), np.zeros(6)
    for j in range(span[0], span[1]):
        b = p.band[j]
        if p.mark[j] == _NEGATIVE:
            n_negative += 1
        elif p.mark[j] == _POSITIVE:
            if n == 0:
                t_first = p.mjd[j]
                gap = t_first - limit_time[b]
                over = p.flux[j] / limit_flux[b]
            n += 1
            if p.mjd[j] - t_night >= _NIGHT_DAYS:
                n_nights += 1
                t_night = p.mjd[j]
            t_last, snr_last = p.mjd[j], p.flux[j] / p.err[j]
            snr_max = max(snr_max, snr_last)
            greatest[b] = max(greatest[b], p.flux[j])
        elif p.mark[j] == _LIMIT:
            if n == 0:
                limit_time[b], limit_flux[b] = p.mjd[j], 5.0 * p.err[j]
            elif 5.0 * p.err[j] < 0.5 * greatest[b]:
                n_contradicting += 1
    rows[0:3] = n + n_negative, n_negative, n_nights
    if n > 0:
        rows[3:9] = t_last - t_first, gap, over, float(n_contradicting), snr_max, snr_last


@njit(cache=True, nogil=True)
def describe(offsets: Any, points: tuple[Any, Any, Any, Any, Any], out: Any) -> None:
    """Fill ``out`` from ``n`` ragged light curves.

    Parameters
    ----------
    offsets
        Shape (n+1,).
    points
        Times, fluxes, errors, bands and kinds of all points, as in ``RaggedLightCurves``; every
        band a code of ``bands.BANDS``.
    out
        Shape (n, features), float32, NaN at first.
    """
    mjd, flux, err, band, kind = points
    p = _Points(mjd, flux, err, band, kind, np.empty(len(mjd), dtype=np.int8))
    peak, mean, time = np.empty(3), np.empty(3), np.empty(3)
    for i in range(len(offsets) - 1):
        rows = out[i]
        first, end = offsets[i], offsets[i + 1]
        newest = _mark(p, first, end)
        while first < end and not mjd[first] >= newest - HISTORY_DAYS:
            first += 1
        while end > first and mjd[end - 1] > newest:
            end -= 1
        span = (first, end)
        _describe_all(p, span, rows)
        if first == end:  # nothing was ever detected
            rows[FIRST_BAND_ROW:FIRST_COLOUR_ROW:BAND_ROWS] = 0.0
            continue
        for b in range(3):
            start = FIRST_BAND_ROW + b * BAND_ROWS
            peak[b], mean[b], time[b] = _describe_band(
                p, span, _G + b, rows[start : start + BAND_ROWS]
            )
        for c in range(2):
            start = FIRST_COLOUR_ROW + c * COLOUR_ROWS
            rows[start] = _MAG * np.log(peak[c] / peak[c + 1])
            rows[start + 1] = _MAG * np.log(mean[c] / mean[c + 1])
            rows[start + 5] = time[c + 1] - time[c]
            _describe_colour(p, span, _G + c, rows[start : start + COLOUR_ROWS])
