"""Running standardisation: signed logarithm, then mean and variance learnt as rows come.

For models that learn by gradients. Missing values are the mean; sums are merged by Chan's formula
(Chan, Golub & LeVeque 1983), so a chunk at a time gives what all at once would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

LIMIT = 8.0
"""Standard deviations beyond which a value is cut."""
_LEAST_VARIANCE = 1e-6


class RunningScale:
    """Mean and variance of each feature so far."""

    def __init__(self, features: int) -> None:
        self.count = np.zeros(features)
        self.mean = np.zeros(features)
        self.sum_squares = np.zeros(features)

    def learn(self, rows: npt.NDArray[np.float32]) -> None:
        """Take rows in, shape (n, features), NaN is missing."""
        x = _compressed(rows)
        known = np.isfinite(x)
        n = known.sum(axis=0)
        mean = np.where(known, x, 0.0).sum(axis=0) / np.maximum(n, 1)
        squares = (np.where(known, x - mean, 0.0) ** 2).sum(axis=0)
        total = self.count + n
        step = mean - self.mean
        share = n / np.maximum(total, 1.0)
        self.sum_squares += squares + step**2 * self.count * share
        self.mean += step * share
        self.count = total

    def scaled(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Rows of mean zero and variance one, shape (n, features), without NaN."""
        deviation = np.sqrt(self.sum_squares / np.maximum(self.count, 1.0) + _LEAST_VARIANCE)
        z = np.nan_to_num((_compressed(rows) - self.mean) / deviation)
        return np.asarray(np.clip(z, -LIMIT, LIMIT))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, to be saved."""
        return {
            "scale.count": self.count,
            "scale.mean": self.mean,
            "scale.sum_squares": self.sum_squares,
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> RunningScale:
        """The inverse of ``arrays``; raises ``KeyError``."""
        scale = RunningScale(len(arrays["scale.mean"]))
        scale.count = arrays["scale.count"].copy()
        scale.mean = arrays["scale.mean"].copy()
        scale.sum_squares = arrays["scale.sum_squares"].copy()
        return scale


def _compressed(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    x = rows.astype(np.float64)
    return np.asarray(np.where(np.isfinite(x), np.sign(x) * np.log1p(np.abs(x)), np.nan))
