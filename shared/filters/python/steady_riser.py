"""Objects that have brightened from detection to detection, at least three times, in one band."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.light_curves.bands import DETECTION

_LEAST_RISES = 3


class SteadyRiser:
    """Whether the last four detections of a band rise, each by more than its error."""

    name = "steady_riser"

    def wants(self, alerts: pa.Table) -> npt.NDArray[np.bool_]:
        """See ``base``."""
        curves = alerts.select(["lc_kind", "lc_band", "lc_flux_njy", "lc_flux_err_njy"])
        batch = curves.combine_chunks().to_batches()[0]
        arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
        offsets = np.asarray(arrays["lc_kind"].offsets)
        flat = [np.asarray(array.values) for array in arrays.values()]
        return np.asarray(_compiled()(offsets, *flat), np.bool_)


@cache
def _compiled() -> Any:
    """``_rises`` in machine code, made when it is first used: most who import this never do."""
    from numba import njit  # noqa: PLC0415  # half a second

    return njit(cache=True, nogil=True)(_rises)


def _rises(
    offsets: npt.NDArray[np.int32],
    kind: npt.NDArray[np.int8],
    band: npt.NDArray[np.int8],
    flux: npt.NDArray[np.float32],
    error: npt.NDArray[np.float32],
) -> npt.NDArray[np.bool_]:
    wanted = np.zeros(len(offsets) - 1, np.bool_)
    for alert in range(len(wanted)):
        rises = np.zeros(128, np.int64)
        before = np.full(128, np.nan, np.float32)
        for point in range(offsets[alert], offsets[alert + 1]):
            b = band[point]
            if kind[point] != DETECTION or b < 0 or not np.isfinite(flux[point]):
                continue
            rises[b] = rises[b] + 1 if flux[point] - before[b] > error[point] else 0
            before[b] = flux[point]
        wanted[alert] = rises.max() >= _LEAST_RISES
    return wanted
