"""How fast it rises and fades, in magnitudes per day, with errors. No model: a straight line.

In each band the brightest positive detection of the last thirty days divides rise from fade; one
slope is fitted to all bands of a side, each with its own constant. Magnitude errors have a floor
of 0.02.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit

from services.classify.classifiers.base import struct_of
from services.classify.features.base import Features
from services.classify.features.early import HISTORY_DAYS
from shared.alert_batch import AlertBatch
from shared.light_curves.bands import UPPER_LIMIT
from shared.light_curves.ragged import RaggedLightCurves
from shared.schemas.classification import RATE as FIELD

_LEAST_DAYS = 0.5
_FLOOR_MAG = 0.02
_SNR = 3.0
_MAG = -2.5 / float(np.log(10.0))
_LIMIT = UPPER_LIMIT
_HISTORY_DAYS = HISTORY_DAYS


@njit(cache=True, nogil=True)
def _slope(t: Any, m: Any, w: Any, band: Any, n: int, out: Any) -> None:
    """Slope and error common to all bands, each band about its own mean."""
    top, bottom = 0.0, 0.0
    longest = 0.0
    for b in range(6):
        sw, st, sm, low, high = 0.0, 0.0, 0.0, np.inf, -np.inf
        for j in range(n):
            if band[j] == b:
                sw += w[j]
                st += w[j] * t[j]
                sm += w[j] * m[j]
                low, high = min(low, t[j]), max(high, t[j])
        if sw == 0.0:
            continue
        longest = max(longest, high - low)
        for j in range(n):
            if band[j] == b:
                top += w[j] * (t[j] - st / sw) * (m[j] - sm / sw)
                bottom += w[j] * (t[j] - st / sw) ** 2
    if longest >= _LEAST_DAYS and bottom > 0.0:
        out[0] = top / bottom
        out[1] = 1.0 / np.sqrt(bottom)


@njit(cache=True, nogil=True)
def _rates(offsets: Any, points: tuple[Any, Any, Any, Any, Any], out: Any) -> None:
    mjd, flux, err, band, kind = points
    longest = 1
    for i in range(len(offsets) - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    t, m, w = np.empty(longest), np.empty(longest), np.empty(longest)
    own = np.empty(longest, dtype=np.int64)
    peak_flux, peak_time = np.empty(6), np.empty(6)
    for i in range(len(offsets) - 1):
        first, end = offsets[i], offsets[i + 1]
        peak_flux[:] = 0.0
        newest = mjd[end - 1] if end > first else 0.0
        for j in range(first, end):
            good = kind[j] != _LIMIT and err[j] > 0.0 and flux[j] > _SNR * err[j]
            if not good or mjd[j] < newest - _HISTORY_DAYS or band[j] < 0 or band[j] > 5:
                continue
            if flux[j] > peak_flux[band[j]]:
                peak_flux[band[j]], peak_time[band[j]] = flux[j], mjd[j]
        for side in range(2):
            n = 0
            for j in range(first, end):
                good = kind[j] != _LIMIT and err[j] > 0.0 and flux[j] > _SNR * err[j]
                if not good or mjd[j] < newest - _HISTORY_DAYS or band[j] < 0 or band[j] > 5:
                    continue
                since = mjd[j] - peak_time[band[j]]
                if (side == 0 and since > 0.0) or (side == 1 and since < 0.0):
                    continue
                sigma = np.hypot(_MAG * err[j] / flux[j], _FLOOR_MAG)
                t[n], m[n], own[n] = since, _MAG * np.log(flux[j]), band[j]
                w[n] = 1.0 / (sigma * sigma)
                n += 1
            _slope(t, m, w, own, n, out[i, 2 * side : 2 * side + 2])


def rates_mag_per_day(curves: RaggedLightCurves) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Rise, its error, fade, its error; shape (n, 4), NaN where there is no line to draw."""
    out = np.full((len(curves), 4), np.nan, dtype=np.float32)
    points = (curves.mjd_tai, curves.flux_njy, curves.flux_err_njy, curves.band, curves.kind)
    _rates(curves.offsets, points, out)
    return out


class Rate:
    """The ``rate`` column."""

    name = "rate"

    def verdicts(self, batch: AlertBatch, features: Features) -> pa.StructArray:
        """Slopes of every alert."""
        del features
        rates = rates_mag_per_day(batch.light_curves)
        names = [FIELD.type.field(k).name for k in range(FIELD.type.num_fields)]
        return struct_of(
            FIELD,
            {n: pa.array(rates[:, k], pa.float32(), from_pandas=True) for k, n in enumerate(names)},
        )

    def warm_up(self) -> None:
        """Nothing: the first batch's kernels are compiled with the features'."""
