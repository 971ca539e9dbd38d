"""The compiled loop behind ``whole``: a light curve of any length, in six bands.

Every curve is copied once into work arrays, smoothed within each band, and described about one
reference time, that of the greatest significant smoothed flux. Upper limits count as zero flux
with their error, so that surveys with forced photometry and surveys with limits look alike.
Rows are in the order of ``whole.DEFINITIONS``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

N_BANDS = 6
PHASES_DAYS = (-30.0, -20.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 70.0)
"""Days about the reference time at which the smoothed light curve is read."""
COLOUR_PHASES = (1, 2, 3, 4, 6, 8, 9, 10)
"""Which of ``PHASES_DAYS`` the colours are read at."""

OVERALL_ROWS = 24
BAND_ROWS = 23
SHAPE_ROWS = len(PHASES_DAYS)
N_PAIRS = N_BANDS - 1
COLOUR_ROWS = len(COLOUR_PHASES)
FIRST_BAND_ROW = OVERALL_ROWS
FIRST_SHAPE_ROW = FIRST_BAND_ROW + N_BANDS * BAND_ROWS
FIRST_COLOUR_ROW = FIRST_SHAPE_ROW + N_BANDS * SHAPE_ROWS
N_ROWS = FIRST_COLOUR_ROW + N_PAIRS * COLOUR_ROWS

_PHASES = np.array(PHASES_DAYS)
_COLOURS = np.array(COLOUR_PHASES)
_UPPER_LIMIT = 2
_SMOOTH_DAYS = 2.0
_SNR = 5.0
_WEAK_SNR = 3.0
_GAP_DAYS = 20.0  # beyond it a trapezium would invent light
_SEASON_DAYS = 60.0
_BEFORE_DAYS, _AFTER_DAYS = 80.0, 250.0  # outside a transient is over
_NIGHT_DAYS = 0.5
_MAG = -2.5 / float(np.log(10.0))


class _Curve(NamedTuple):
    """Work arrays: the usable points of one light curve, band after band, each in order of time."""

    t: Any
    f: Any
    e: Any
    s: Any
    """Smoothed flux."""
    q: Any
    """Its error."""
    starts: Any
    """Shape (7,): where each band begins."""


@njit(cache=True, nogil=True)
def _copy(points: tuple[Any, Any, Any, Any, Any], first: int, end: int, c: _Curve) -> None:
    """Copy the usable points of one curve, sorted by band (the order of time is kept)."""
    mjd, flux, err, band, kind = points
    counts = np.zeros(N_BANDS + 1, dtype=np.int64)
    for j in range(first, end):
        if not (err[j] > 0.0 and band[j] >= 0 and band[j] < N_BANDS):
            continue
        if kind[j] == _UPPER_LIMIT or np.isfinite(flux[j]):
            counts[band[j] + 1] += 1
    for b in range(N_BANDS):
        counts[b + 1] += counts[b]
        c.starts[b] = counts[b]
    c.starts[N_BANDS] = counts[N_BANDS]
    for j in range(first, end):
        if not (err[j] > 0.0 and band[j] >= 0 and band[j] < N_BANDS):
            continue
        is_limit = kind[j] == _UPPER_LIMIT
        if not is_limit and not np.isfinite(flux[j]):
            continue
        k = counts[band[j]]
        counts[band[j]] += 1
        c.t[k] = mjd[j]
        c.f[k] = 0.0 if is_limit else flux[j]
        c.e[k] = err[j]


@njit(cache=True, nogil=True)
def _smooth(c: _Curve, a: int, z: int) -> None:
    """Gaussian-weighted mean flux within a band about each of its points."""
    top = 0.0
    for j in range(a, z):
        top = max(top, abs(c.f[j]))
    floor = (0.03 * top) ** 2
    low = a
    for j in range(a, z):
        while c.t[j] - c.t[low] > 3.0 * _SMOOTH_DAYS:
            low += 1
        total, mean, spread = 0.0, 0.0, 0.0
        k = low
        while k < z and c.t[k] - c.t[j] <= 3.0 * _SMOOTH_DAYS:
            x = (c.t[k] - c.t[j]) / _SMOOTH_DAYS
            w = np.exp(-0.5 * x * x) / (c.e[k] * c.e[k] + floor)
            total += w
            mean += w * c.f[k]
            spread += w * w * c.e[k] * c.e[k]
            k += 1
        c.s[j] = mean / total
        c.q[j] = np.sqrt(spread) / total


@njit(cache=True, nogil=True)
def _peak(c: _Curve, a: int, z: int) -> int:
    """Where the smoothed flux is greatest, significant if any point is; -1 without a point."""
    best, best_any = -1, -1
    for j in range(a, z):
        if best_any < 0 or c.s[j] > c.s[best_any]:
            best_any = j
        if c.s[j] > _WEAK_SNR * c.q[j] and (best < 0 or c.s[j] > c.s[best]):
            best = j
    return best if best >= 0 else best_any


@njit(cache=True, nogil=True)
def _crossing(c: _Curve, peak: int, stop: int, step: int, level: float) -> Any:
    """Days from the peak until the smoothed flux falls through ``level``; NaN if it never does."""
    j = peak
    while j + step != stop:
        k = j + step
        if c.s[k] < level:
            drop = c.s[j] - c.s[k]
            part = (c.s[j] - level) / drop if drop > 0.0 else 0.0
            return abs(c.t[j] + part * (c.t[k] - c.t[j]) - c.t[peak])
        j = k
    return np.nan


@njit(cache=True, nogil=True)
def _rate(c: _Curve, a: int, z: int, start: float, end: float) -> float:
    """Slope in mag/day of significant fluxes between two times; NaN without two nights."""
    n, sw, st, sm, stt, stm = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    low, high = np.inf, -np.inf
    for j in range(a, z):
        if c.t[j] < start or c.t[j] > end or c.f[j] <= _WEAK_SNR * c.e[j]:
            continue
        x, m = c.t[j] - start, _MAG * np.log(c.f[j])
        r = c.e[j] / c.f[j]
        w = 1.0 / (r * r + 0.0009)
        n += 1
        sw += w
        st += w * x
        sm += w * m
        stt += w * x * x
        stm += w * x * m
        low, high = min(low, c.t[j]), max(high, c.t[j])
    if n < 2 or high - low < _NIGHT_DAYS:
        return np.nan
    return (sw * stm - st * sm) / (sw * stt - st * st)


@njit(cache=True, nogil=True)
def _moments(c: _Curve, a: int, z: int, rows: Any) -> None:
    """Statistics of all fluxes of a band: rows 6 to 14."""
    n = z - a
    sw, swf, mean = 0.0, 0.0, 0.0
    for j in range(a, z):
        w = 1.0 / (c.e[j] * c.e[j])
        sw += w
        swf += w * c.f[j]
        mean += c.f[j]
    mean /= n
    weighted = swf / sw
    m2, m3, m4, chi2, beyond, absolute = 0.0, 0.0, 0.0, 0.0, 0, 0.0
    steps, near, n_near = 0.0, 0.0, 0
    for j in range(a, z):
        d = c.f[j] - mean
        m2 += d * d
        m3 += d * d * d
        m4 += d * d * d * d
        g = (c.f[j] - weighted) / c.e[j]
        chi2 += g * g
        absolute += abs(g)
        if j > a:
            h = c.f[j] - c.f[j - 1]
            steps += h * h
            if c.t[j] - c.t[j - 1] < 1.5:
                near += h * h / (c.e[j] * c.e[j] + c.e[j - 1] * c.e[j - 1])
                n_near += 1
    rows[6] = weighted / np.sqrt(1.0 / sw)
    if n < 3 or not m2 > 0.0:
        return
    m2 /= n
    sigma = np.sqrt(m2)
    rows[7] = np.log10(chi2 / (n - 1) + 1e-3)
    rows[8] = m3 / n / (m2 * sigma)
    rows[9] = m4 / n / (m2 * m2)
    rows[10] = steps / (n - 1) / m2
    rows[11] = absolute / np.sqrt(n * chi2)
    if n_near > 0:
        rows[12] = np.log10(near / n_near + 1e-3)
    for j in range(a, z):
        if abs(c.f[j] - mean) > 1.5 * sigma:
            beyond += 1
    rows[13] = beyond / n
    rows[14] = weighted / sigma


@njit(cache=True, nogil=True)
def _describe_band(c: _Curve, a: int, z: int, t_ref: float, rows: Any) -> None:
    """Fill the rows of one band."""
    rows[0] = z - a
    if z == a:
        return
    peak = _peak(c, a, z)
    top, snr_top, second, lowest, n_weak, n_negative = 0.0, -np.inf, 0.0, np.inf, 0, 0
    for j in range(a, z):
        snr_top = max(snr_top, c.f[j] / c.e[j])
        if c.f[j] > top:
            top, second = c.f[j], top
        else:
            second = max(second, c.f[j])
        lowest = min(lowest, c.s[j])
        n_weak += c.f[j] > _WEAK_SNR * c.e[j]
        n_negative += c.f[j] < -_WEAK_SNR * c.e[j]
    most = c.s[peak]
    rows[1] = snr_top
    rows[2] = n_weak / (z - a)
    rows[3] = n_negative / (z - a)
    _moments(c, a, z, rows)
    if not most > 0.0:
        return
    rows[4] = np.log10(most)
    rows[5] = lowest / most
    rows[15] = c.t[peak] - t_ref
    rows[16] = _crossing(c, peak, a - 1, -1, 0.5 * most)
    rows[17] = _crossing(c, peak, z, 1, 0.5 * most)
    rows[18] = _crossing(c, peak, z, 1, 0.2 * most)
    area = 0.0
    for j in range(a + 1, z):
        gap = min(c.t[j] - c.t[j - 1], _GAP_DAYS)
        area += 0.5 * gap * (max(c.s[j], 0.0) + max(c.s[j - 1], 0.0))
    rows[19] = area / most
    rows[20] = _rate(c, a, z, c.t[peak] - 20.0, c.t[peak] - 1.0)
    rows[21] = _rate(c, a, z, c.t[peak] + 3.0, c.t[peak] + 25.0)
    rows[22] = second / top if top > 0.0 else np.nan


@njit(cache=True, nogil=True)
def _shapes(c: _Curve, t_ref: float, level: Any, sigma: Any) -> None:
    """Smoothed flux of every band at every phase, NaN where no point is near."""
    for b in range(N_BANDS):
        for k in range(SHAPE_ROWS):
            level[b, k] = np.nan
        a, z = c.starts[b], c.starts[b + 1]
        low = a
        for k in range(SHAPE_ROWS):
            width = max(2.0, 0.2 * abs(_PHASES[k]))
            centre = t_ref + _PHASES[k]
            while low < z and c.t[low] < centre - 2.0 * width:
                low += 1
            total, mean, spread = 0.0, 0.0, 0.0
            j = low
            while j < z and c.t[j] <= centre + 2.0 * width:
                x = (c.t[j] - centre) / width
                w = np.exp(-0.5 * x * x) / (c.e[j] * c.e[j] + (0.03 * c.f[j]) ** 2)
                total += w
                mean += w * c.f[j]
                spread += w * w * c.e[j] * c.e[j]
                j += 1
            if total > 0.0:
                level[b, k] = mean / total
                sigma[b, k] = np.sqrt(spread) / total


@njit(cache=True, nogil=True)
def _describe_all(c: _Curve, t_ref: float, rows: Any) -> None:
    """Fill the overall rows."""
    n = int(c.starts[N_BANDS])
    t_first, t_last, n_strong, n_strong_negative = np.inf, -np.inf, 0, 0
    far, n_far, squares, positive, most, n_season = 0.0, 0, 0.0, 0.0, 0.0, 0
    begin, end = np.inf, -np.inf
    for j in range(n):
        snr = c.f[j] / c.e[j]
        squares += snr * snr
        begin, end = min(begin, c.t[j]), max(end, c.t[j])
        if snr > 0.0:
            positive += snr
            most = max(most, snr)
        if snr >= _SNR:
            n_strong += 1
            t_first, t_last = min(t_first, c.t[j]), max(t_last, c.t[j])
        elif snr <= -_SNR:
            n_strong_negative += 1
        if c.t[j] < t_ref - _BEFORE_DAYS or c.t[j] > t_ref + _AFTER_DAYS:
            far += snr * snr
            n_far += 1
    rows[0] = n
    rows[1] = n_strong
    rows[2] = n_strong_negative
    rows[3] = np.log10(squares / n + 1e-3)
    rows[4] = most / positive if positive > 0.0 else np.nan
    rows[5] = end - begin
    if n_strong > 0:
        rows[6] = t_last - t_first
        rows[7] = t_ref - t_first
        rows[8] = t_last - t_ref
        rows[9] = end - t_first
        last_season = -np.inf
        seen = np.sort(c.t[:n][c.f[:n] > _SNR * c.e[:n]])
        for t in seen:
            if t - last_season > _SEASON_DAYS:
                n_season += 1
            last_season = t
        rows[10] = n_season
    if n_far > 0:
        rows[11] = np.log10(far / n_far + 1e-3)
    before, after = 0.0, 0.0
    for j in range(n):
        if c.t[j] < t_ref - 3.0 and c.t[j] >= t_ref - _BEFORE_DAYS:
            before += c.f[j] / c.e[j] > _WEAK_SNR
        elif c.t[j] > t_ref + 3.0 and c.t[j] <= t_ref + _AFTER_DAYS:
            after += c.f[j] / c.e[j] > _WEAK_SNR
    rows[12:14] = before, after


@njit(cache=True, nogil=True)
def _trigger(c: _Curve, rows: Any) -> None:
    """How the light was on the first nights of detection: rows 14 to 18."""
    n = int(c.starts[N_BANDS])
    order = np.argsort(c.t[:n])
    n_nights, night, t_first, strongest = 0, -np.inf, np.nan, 0.0
    last_quiet, first_flux, n_bands = np.nan, 0.0, 0
    for j in order:
        if c.f[j] < _SNR * c.e[j]:
            if n_nights == 0:
                last_quiet = c.t[j]
            continue
        if c.t[j] - night > _NIGHT_DAYS:
            n_nights += 1
            night = c.t[j]
            if n_nights == 1:
                t_first = c.t[j]
        if n_nights == 1 and c.f[j] / c.e[j] > strongest:
            strongest = c.f[j] / c.e[j]
            first_flux = c.f[j]
    rows[14] = n_nights
    if n_nights == 0:
        return
    rows[15] = t_first - last_quiet
    rows[16] = strongest
    rows[17] = np.log10(first_flux)
    for b in range(N_BANDS):
        for j in range(c.starts[b], c.starts[b + 1]):
            if c.f[j] >= _SNR * c.e[j]:
                n_bands += 1
                break
    rows[18] = n_bands


@njit(cache=True, nogil=True)
def _colours(level: Any, sigma: Any, rows: Any) -> None:
    """(a - b) / (|a| + |b|) of neighbouring bands at the chosen phases."""
    for p in range(N_PAIRS):
        for m in range(COLOUR_ROWS):
            k = _COLOURS[m]
            blue, red = level[p, k], level[p + 1, k]
            if abs(blue) + abs(red) > 2.0 * np.hypot(sigma[p, k], sigma[p + 1, k]):
                rows[p * COLOUR_ROWS + m] = (blue - red) / (abs(blue) + abs(red))


@njit(cache=True, nogil=True)
def _peak_colours(peaks: Any, rows: Any) -> None:
    """Colours of the peaks: rows 19 to 23."""
    for p in range(N_PAIRS):
        if peaks[p] > 0.0 and peaks[p + 1] > 0.0:
            rows[19 + p] = _MAG * np.log(peaks[p] / peaks[p + 1])


@njit(cache=True, nogil=True)
def describe(offsets: Any, points: tuple[Any, Any, Any, Any, Any], out: Any) -> None:
    """Fill ``out`` from ``n`` ragged light curves.

    Parameters
    ----------
    offsets
        Shape (n+1,).
    points
        Times, fluxes, errors, bands and kinds of all points, as in ``RaggedLightCurves``.
    out
        Shape (n, N_ROWS), float32, NaN at first.
    """
    longest = 1
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    c = _Curve(
        np.empty(longest),
        np.empty(longest),
        np.empty(longest),
        np.empty(longest),
        np.empty(longest),
        np.empty(N_BANDS + 1, dtype=np.int64),
    )
    level, sigma = np.empty((N_BANDS, SHAPE_ROWS)), np.empty((N_BANDS, SHAPE_ROWS))
    peaks = np.empty(N_BANDS)
    for i in range(len(offsets) - 1):
        rows = out[i]
        _copy(points, offsets[i], offsets[i + 1], c)
        if c.starts[N_BANDS] == 0:
            continue
        best, t_ref = -np.inf, 0.0
        for b in range(N_BANDS):
            _smooth(c, c.starts[b], c.starts[b + 1])
            j = _peak(c, c.starts[b], c.starts[b + 1])
            peaks[b] = c.s[j] if j >= 0 else np.nan
            if j >= 0 and c.s[j] / c.q[j] > best:
                best, t_ref = c.s[j] / c.q[j], c.t[j]
        _describe_all(c, t_ref, rows)
        _trigger(c, rows)
        for b in range(N_BANDS):
            at = FIRST_BAND_ROW + b * BAND_ROWS
            _describe_band(c, c.starts[b], c.starts[b + 1], t_ref, rows[at : at + BAND_ROWS])
        _shapes(c, t_ref, level, sigma)
        _peak_colours(peaks, rows)
        for b in range(N_BANDS):
            if peaks[b] > 0.0:
                at = FIRST_SHAPE_ROW + b * SHAPE_ROWS
                for k in range(SHAPE_ROWS):
                    rows[at + k] = level[b, k] / peaks[b]
        _colours(level, sigma, rows[FIRST_COLOUR_ROW:])
