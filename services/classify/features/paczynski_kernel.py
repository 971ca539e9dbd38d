"""Paczyński's curve fitted to ragged light curves, each band with its own source and blend.

F(t) = blend + source A(u), u^2 = u0^2 + ((t - t0) / tE)^2, A = (u^2 + 2) / (u sqrt(u^2 + 4))
(Paczyński 1986, ApJ 304, 1). For given t0, tE and u0 blend and source of each band are a linear
fit, so the search is over three numbers: a grid, then a pattern search with shrinking steps. The
work per light curve is bounded: ``GRID`` + 6 ``ROUNDS`` evaluations, whatever the data.

Nothing here depends on a constant added to a band's flux: difference and total fluxes serve alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

N_BANDS = 6
N_ROWS = 20
ROUNDS = 22
LEAST_POINTS = 8
_TE_DAYS = np.array([1.5, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 40.0, 65.0, 110.0, 200.0])
_U0 = np.array([0.05, 0.2, 0.45, 0.8])
GRID = len(_TE_DAYS) * len(_U0)
_MAX_U0, _MIN_U0 = 1.5, 0.005
_MAX_TE, _MIN_TE = 400.0, 0.5
_UPPER_LIMIT = 2
_FLOOR = 0.01  # of the range of fluxes: seeing and calibration
_SMOOTH_DAYS = 4.0


class _Points(NamedTuple):
    """One light curve in order of time: time, flux, weight, band, standardised and smoothed."""

    t: Any
    f: Any
    w: Any
    b: Any
    z: Any
    s: Any


@njit(cache=True, nogil=True)
def _chi2(p: _Points, n: int, t0: float, te: float, u0: float, sums: Any) -> float:
    """Chi-squared of the best blend and source of every band; fluxes cannot dim."""
    sums[:] = 0.0
    for j in range(n):
        x = (p.t[j] - t0) / te
        u2 = u0 * u0 + x * x
        a = (u2 + 2.0) / np.sqrt(u2 * (u2 + 4.0)) - 1.0
        b, w, f = p.b[j], p.w[j], p.f[j]
        sums[b, 0] += w
        sums[b, 1] += w * a
        sums[b, 2] += w * a * a
        sums[b, 3] += w * f
        sums[b, 4] += w * f * a
        sums[b, 5] += w * f * f
    total = 0.0
    for b in range(N_BANDS):
        s = sums[b]
        if s[0] == 0.0:
            continue
        spread = s[2] - s[1] * s[1] / s[0]
        cross = s[4] - s[1] * s[3] / s[0]
        chi2 = s[5] - s[3] * s[3] / s[0]
        s[6], s[7] = s[3] / s[0], 0.0
        if spread > 1e-12 * s[0] and cross > 0.0:
            s[7] = cross / spread
            s[6] = (s[3] - s[7] * s[1]) / s[0]
            chi2 -= cross * s[7]
        total += max(chi2, 0.0)
    return total


@njit(cache=True, nogil=True)
def _standardise(p: _Points, n: int) -> None:
    """Deviation from the band's median, in units of the larger of its scatter and its error."""
    for b in range(N_BANDS):
        own = np.flatnonzero(p.b[:n] == b)
        if len(own) == 0:
            continue
        flux = p.f[own]
        centre = np.median(flux)
        scatter = 1.4826 * np.median(np.abs(flux - centre))
        error = np.median(1.0 / np.sqrt(p.w[own]))
        for j in own:
            p.z[j] = (p.f[j] - centre) / max(scatter, error)


@njit(cache=True, nogil=True)
def _smooth(p: _Points, n: int) -> int:
    """Mean deviation of the points within some days; returns where it is greatest."""
    low, best = 0, 0
    top = -np.inf
    for j in range(n):
        while p.t[j] - p.t[low] > _SMOOTH_DAYS:
            low += 1
        total, count, k = 0.0, 0, low
        while k < n and p.t[k] - p.t[j] <= _SMOOTH_DAYS:
            total += min(p.z[k], 50.0)
            count += 1
            k += 1
        p.s[j] = total / (count + 1.0)  # one point alone counts half
        if p.s[j] > top:
            top, best = p.s[j], j
    return best


@njit(cache=True, nogil=True)
def _search(p: _Points, n: int, t_start: float, sums: Any, found: Any) -> None:
    """Fill t0, tE, u0."""
    best = np.inf
    for te in _TE_DAYS:
        for u0 in _U0:
            chi2 = _chi2(p, n, t_start, te, u0, sums)
            if chi2 < best:
                best = chi2
                found[0], found[1], found[2] = t_start, te, u0
    step_t, step_log = 0.4, 0.35
    for _ in range(ROUNDS):
        improved = False
        for axis in range(3):
            for sign in (-1.0, 1.0):
                t0, te, u0 = found[0], found[1], found[2]
                if axis == 0:
                    t0 += sign * step_t * te * max(u0, 0.1)
                elif axis == 1:
                    te = min(max(te * np.exp(sign * step_log), _MIN_TE), _MAX_TE)
                else:
                    u0 = min(max(u0 * np.exp(sign * step_log), _MIN_U0), _MAX_U0)
                chi2 = _chi2(p, n, t0, te, u0, sums)
                if chi2 < best:
                    best, improved = chi2, True
                    found[0], found[1], found[2] = t0, te, u0
        if not improved:
            step_t *= 0.5
            step_log *= 0.5


@njit(cache=True, nogil=True)
def _describe_deviations(p: _Points, n: int, mean: float, steps: float, rows: Any) -> None:
    """Fill skewness and von Neumann's ratio: rows 16 and 17."""
    variance, third = 0.0, 0.0
    for j in range(n):
        d = min(p.z[j], 50.0) - min(mean, 50.0)
        variance += d * d / n
        third += d * d * d / n
    if variance > 0.0:
        rows[16] = third / variance**1.5
        rows[17] = steps / (n - 1) / variance


@njit(cache=True, nogil=True)
def _describe(  # noqa: PLR0915  # one pass over the points, many sums
    p: _Points, n: int, sums: Any, found: Any, rows: Any
) -> None:
    """Fill the rows of one light curve."""
    _standardise(p, n)
    start = _smooth(p, n)
    constant = _chi2(p, n, 0.0, 1.0, 1e6, sums)
    _search(p, n, p.t[start], sums, found)
    fitted = _chi2(p, n, found[0], found[1], found[2], sums)  # leaves blend and source in sums
    rows[0] = np.log10(constant / n + 1e-3)
    rows[1] = np.log10(fitted / n + 1e-3)
    rows[2] = 1.0 - fitted / constant if constant > 0.0 else 0.0
    t0, te, u0 = found[0], found[1], found[2]
    reach = 1.5 * te
    rows[3], rows[4] = te, u0
    inside, outside, early, late, mean, steps = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    n_in, n_before, n_after, n_hot, beyond = 0, 0, 0, 0, 0
    far_top, low, high = -np.inf, np.inf, -np.inf
    for j in range(n):
        x = (p.t[j] - t0) / te
        u2 = u0 * u0 + x * x
        a = (u2 + 2.0) / np.sqrt(u2 * (u2 + 4.0)) - 1.0
        residual = (p.f[j] - sums[p.b[j], 6] - sums[p.b[j], 7] * a) * np.sqrt(p.w[j])
        low, high = min(low, p.s[j]), max(high, p.s[j])
        mean += p.z[j] / n
        if j > 0:
            steps += (p.z[j] - p.z[j - 1]) ** 2
        if abs(p.t[j] - t0) <= reach:
            inside += residual * residual
            n_in += 1
            n_hot += p.z[j] > 3.0
            if x < 0.0:
                n_before += 1
                early += residual
            else:
                n_after += 1
                late += residual
        else:
            outside += residual * residual
            far_top = max(far_top, p.s[j])
            beyond += abs(p.z[j]) > 3.0
    n_out = n - n_in
    rows[5] = np.log10(inside / n_in + 1e-3) if n_in > 0 else np.nan
    rows[6] = np.log10(outside / n_out + 1e-3) if n_out > 0 else np.nan
    rows[7] = n_in / n
    rows[8] = min(n_before, n_after)
    rows[9] = n_hot
    rows[10] = abs(early / max(n_before, 1) - late / max(n_after, 1))
    rows[11] = far_top / high if n_out > 0 and high > 0.0 else np.nan
    rows[12] = low / high if high > 0.0 else np.nan
    rows[13] = beyond / n_out if n_out > 0 else np.nan
    rows[14] = np.log10(max(high, 1e-2))
    rows[15] = (p.t[n - 1] - p.t[0]) / te
    _describe_deviations(p, n, mean, steps, rows)
    rows[18] = (t0 - p.t[0]) / (p.t[n - 1] - p.t[0]) if p.t[n - 1] > p.t[0] else np.nan
    rows[19] = max(t0 - p.t[n - 1], p.t[0] - t0, 0.0) / te


@njit(cache=True, nogil=True)
def describe(offsets: Any, points: tuple[Any, Any, Any, Any, Any], out: Any, when: Any) -> None:
    """Fit ``n`` ragged light curves.

    Parameters
    ----------
    offsets
        Shape (n+1,).
    points
        Times, fluxes, errors, bands and kinds of all points, as in ``RaggedLightCurves``.
    out
        Shape (n, N_ROWS), float32, NaN at first; left so below ``LEAST_POINTS`` points.
    when
        Shape (n,): receives t0.
    """
    mjd, flux, err, band, kind = points
    longest = 1
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    p = _Points(
        np.empty(longest),
        np.empty(longest),
        np.empty(longest),
        np.empty(longest, dtype=np.int64),
        np.empty(longest),
        np.empty(longest),
    )
    sums, found = np.zeros((N_BANDS, 8)), np.zeros(3)
    for i in range(len(offsets) - 1):
        n, low, high = 0, np.inf, -np.inf
        for j in range(offsets[i], offsets[i + 1]):
            is_limit = kind[j] == _UPPER_LIMIT
            if not err[j] > 0.0 or not (is_limit or np.isfinite(flux[j])):
                continue
            if band[j] < 0 or band[j] >= N_BANDS:
                continue
            p.t[n], p.f[n], p.b[n] = mjd[j], (0.0 if is_limit else flux[j]), band[j]
            p.w[n] = err[j]
            low, high = min(low, p.f[n]), max(high, p.f[n])
            n += 1
        if n < LEAST_POINTS:
            continue
        floor = (_FLOOR * (high - low)) ** 2
        for j in range(n):
            p.w[j] = 1.0 / (p.w[j] * p.w[j] + floor)
        _describe(p, n, sums, found, out[i])
        when[i] = found[0]
