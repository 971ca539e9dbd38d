"""Points of many sources (history, forced photometry, limits, this detection) to light curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from shared.light_curves.bands import UPPER_LIMIT

EARLIEST_MJD = 40_000.0
"""1968-05-24; before it no survey sent alerts, nor did TAI run as it does."""
LATEST_MJD = 88_069.0
"""2100-01-01."""
LARGEST_FLUX_NJY = 1e30
"""Magnitude -43: larger is a mistake, and float32 would not hold it."""
SAME_TIME_DAYS = 1e-5
"""0.86 s: no survey takes two exposures in one band so close together."""
SAME_VALUE = 1e-6
"""Relative difference below which two fluxes are one measurement, given twice in float32.

ZTF may list several detections of one exposure within the object's radius; they all count.
"""


@dataclass(frozen=True)
class Points:
    """Photometric points in any order, shape (m,) each; NaN where there is no value."""

    alert: npt.NDArray[np.int64]
    """Row of the alert each point belongs to."""
    mjd_tai: npt.NDArray[np.float64]
    flux_njy: npt.NDArray[np.float64]
    flux_err_njy: npt.NDArray[np.float64]
    """For an upper limit one fifth of the 5-sigma limiting flux."""
    band: npt.NDArray[np.int64]
    """Band code, or -1: the point is left out."""
    kind: npt.NDArray[np.int64]
    """``DETECTION``, ``FORCED`` or ``UPPER_LIMIT``."""


@njit(cache=True, nogil=True)
def _sort_by_time(order: Any, scratch: Any, start: int, end: int, mjd: Any) -> None:
    """Merge sort, stable, of ``order[start:end]`` by ``mjd``."""
    width = 1
    while width < end - start:
        left = start
        while left < end:
            middle = min(left + width, end)
            right = min(left + 2 * width, end)
            i = left
            j = middle
            for k in range(left, right):
                if i < middle and (j >= right or mjd[order[i]] <= mjd[order[j]]):
                    scratch[k] = order[i]
                    i += 1
                else:
                    scratch[k] = order[j]
                    j += 1
            left = right
        for k in range(start, end):
            order[k] = scratch[k]
        width *= 2


@njit(cache=True, nogil=True)
def _assemble(
    alert: Any, mjd: Any, flux: Any, err: Any, band: Any, kind: Any, offsets: Any, order: Any
) -> int:
    """Write the kept points' indices, curve by curve, to ``order``; returns how many there are."""
    n = offsets.shape[0] - 1
    ends = np.zeros(n + 1, np.int64)
    keep = np.zeros(alert.shape[0], np.bool_)
    for p in range(alert.shape[0]):
        sound = band[p] >= 0 and mjd[p] > EARLIEST_MJD and mjd[p] < LATEST_MJD
        if kind[p] == UPPER_LIMIT:
            keep[p] = sound and err[p] > 0 and err[p] < LARGEST_FLUX_NJY
        else:
            keep[p] = sound and abs(flux[p]) < LARGEST_FLUX_NJY
        if keep[p]:
            ends[alert[p] + 1] += 1
    for row in range(n):
        ends[row + 1] += ends[row]
    starts = ends[:-1].copy()
    sorted_points = np.empty(ends[n], np.int64)
    scratch = np.empty(ends[n], np.int64)
    for p in range(alert.shape[0]):
        if keep[p]:
            sorted_points[starts[alert[p]]] = p
            starts[alert[p]] += 1
    total = 0
    for row in range(n):
        offsets[row] = total
        first = total
        _sort_by_time(sorted_points, scratch, ends[row], ends[row + 1], mjd)
        for k in range(ends[row], ends[row + 1]):
            p = sorted_points[k]
            repeated = False
            back = total - 1
            while back >= first and mjd[p] - mjd[order[back]] < SAME_TIME_DAYS:
                q = order[back]
                if band[q] == band[p] and kind[q] == kind[p]:
                    value = err if kind[p] == UPPER_LIMIT else flux
                    if abs(value[q] - value[p]) <= SAME_VALUE * abs(value[p]):
                        repeated = True
                        break
                back -= 1
            if not repeated:
                order[total] = p
                total += 1
    offsets[n] = total
    return total


def light_curve_columns(n: int, sources: Sequence[Points]) -> dict[str, pa.Array]:
    """The ``lc_`` columns of ``n`` alerts.

    Points are put in order of time. Left out are points without a band, a plausible time or a
    flux below 1e30 nJy (limits: a positive error), and repeated ones: same kind, band and value
    less than a second after one that was kept. At equal times the earlier source wins, so this
    detection should come first.
    """
    alert, mjd, flux, err, band, kind = (
        np.concatenate([getattr(source, name) for source in sources])
        for name in ("alert", "mjd_tai", "flux_njy", "flux_err_njy", "band", "kind")
    )
    offsets = np.zeros(n + 1, np.int32)
    order = np.empty(len(alert), np.int64)
    total = _assemble(alert, mjd, flux, err, band, kind, offsets, order)
    order = order[:total]
    where = pa.array(offsets)

    def ragged(values: npt.NDArray[Any], dtype: npt.DTypeLike) -> pa.Array:
        return pa.ListArray.from_arrays(where, pa.array(values[order].astype(dtype)))

    return {
        "lc_mjd_tai": ragged(mjd, np.float64),
        "lc_flux_njy": ragged(np.where(kind == UPPER_LIMIT, np.nan, flux), np.float32),
        "lc_flux_err_njy": ragged(np.where(err < LARGEST_FLUX_NJY, err, np.nan), np.float32),
        "lc_band": ragged(band, np.int8),
        "lc_kind": ragged(kind, np.int8),
    }
