"""Least-squares fits of light-curve shapes: Levenberg-Marquardt for up to six numbers.

Shapes, with t in days from the band's brightest point and flux over its flux:

- ``BAZIN``: A exp(-(t - t0) / fall) / (1 + exp(-(t - t0) / rise)) (Bazin et al. 2009, A&A 499, 653)
- ``SIGMOID``: c / (1 + exp(-a (t - b))), points up to the brightest (Leoni et al. 2022)
- ``VILLAR``: a plateau between rise and exponential decline (Villar et al. 2019, ApJ 884, 83)

The work per fit is bounded by ``ITERATIONS``. Times and rates are fitted as logarithms, so that
they cannot turn negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BAZIN, SIGMOID, VILLAR = 0, 1, 2
N_PARAMETERS = (4, 3, 6)
ITERATIONS = 30
_MOST = 6
_STEP = 1e-5


@njit(cache=True, nogil=True)
def _exp(x: float) -> Any:
    return np.exp(min(max(x, -50.0), 50.0))


@njit(cache=True, nogil=True)
def model(shape: int, p: Any, t: float) -> Any:
    """Flux of a shape with parameters ``p`` (rates as logarithms) at time ``t``."""
    if shape == BAZIN:
        return p[0] * _exp(-(t - p[1]) * _exp(-p[2])) / (1.0 + _exp(-(t - p[1]) * _exp(-p[3])))
    if shape == SIGMOID:
        return p[0] / (1.0 + _exp(-_exp(p[1]) * (t - p[2])))
    plateau = _exp(p[2])
    since = t - p[1]
    rise = 1.0 / (1.0 + _exp(-since * _exp(-p[4])))
    if since < plateau:
        return p[0] * (1.0 - p[3] * since / plateau) * rise
    return p[0] * (1.0 - p[3]) * _exp(-(since - plateau) * _exp(-p[5])) * rise


@njit(cache=True, nogil=True)
def _start(shape: int, p: Any) -> None:
    p[:] = 0.0
    p[0] = 1.0
    if shape == BAZIN:
        p[0], p[1], p[2], p[3] = 1.5, -3.0, np.log(25.0), np.log(4.0)
    elif shape == SIGMOID:
        p[1], p[2] = np.log(0.3), -6.0
    else:
        p[1], p[2], p[3], p[4], p[5] = -5.0, np.log(20.0), 0.3, np.log(4.0), np.log(25.0)


@njit(cache=True, nogil=True)
def _chi2(shape: int, p: Any, t: Any, f: Any, w: Any) -> float:
    total = 0.0
    for j in range(len(t)):
        d = f[j] - model(shape, p, t[j])
        total += w[j] * d * d
    return total


@njit(cache=True, nogil=True)
def _solve(a: Any, b: Any, n: int) -> bool:
    """Gauss elimination with pivots, in place; false if singular."""
    for i in range(n):
        k = i
        for j in range(i + 1, n):
            if abs(a[j, i]) > abs(a[k, i]):
                k = j
        if abs(a[k, i]) < 1e-14:
            return False
        for m in range(n):
            a[i, m], a[k, m] = a[k, m], a[i, m]
        b[i], b[k] = b[k], b[i]
        for j in range(i + 1, n):
            r = a[j, i] / a[i, i]
            for m in range(i, n):
                a[j, m] -= r * a[i, m]
            b[j] -= r * b[i]
    for i in range(n - 1, -1, -1):
        for m in range(i + 1, n):
            b[i] -= a[i, m] * b[m]
        b[i] /= a[i, i]
    return True


@njit(cache=True, nogil=True)
def fit(shape: int, n: int, t: Any, f: Any, w: Any, p: Any) -> float:
    """Fit ``n`` parameters; fill ``p``, return chi-squared."""
    _start(shape, p)
    best, damping = _chi2(shape, p, t, f, w), 1e-2
    normal, right, trial = np.zeros((_MOST, _MOST)), np.zeros(_MOST), np.zeros(_MOST)
    slope = np.zeros(_MOST)
    for _ in range(ITERATIONS):
        normal[:] = 0.0
        right[:] = 0.0
        for j in range(len(t)):
            here = model(shape, p, t[j])
            for k in range(n):
                keep = p[k]
                p[k] = keep + _STEP
                slope[k] = (model(shape, p, t[j]) - here) / _STEP
                p[k] = keep
            for k in range(n):
                right[k] += w[j] * slope[k] * (f[j] - here)
                for m in range(n):
                    normal[k, m] += w[j] * slope[k] * slope[m]
        for k in range(n):
            normal[k, k] += damping * (normal[k, k] + 1e-9)
        if not _solve(normal, right, n):
            damping *= 10.0
            continue
        for k in range(n):
            trial[k] = p[k] + min(max(right[k], -5.0), 5.0)
        chi2 = _chi2(shape, trial, t, f, w)
        if chi2 < best:
            gain = best - chi2
            best = chi2
            p[:n] = trial[:n]
            damping = max(damping * 0.3, 1e-9)
            if gain < 1e-6 * best:
                break
        else:
            damping *= 5.0
            if damping > 1e8:
                break
    return best
