"""How likely an object belongs to none of the classes a model knows.

Two signs are joined, because neither serves all: the classifier hesitates (entropy), or the light
curve lies far from all it was trained on (distances in the space of linear discriminants). Their
ranks among known objects enter a logistic function, fitted on classes that were left out one
after another. No single sign works for all classes (docs/classifiers.md has the table).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

PREFIX = "unknown."
NEIGHBOURS = 5

FloatArray = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def standardised(rows: Any, centre: Any, scale: Any) -> Any:
    """Signed logarithms, centred, scaled, clipped to [-1.5, 1.5]; then which are missing."""
    n, f = rows.shape
    out = np.zeros((n, 2 * f), dtype=np.float32)
    for i in range(n):
        for k in range(f):
            x = rows[i, k]
            if np.isnan(x):
                out[i, f + k] = 1.0
                continue
            z = (np.sign(x) * np.log1p(abs(x)) - centre[k]) / scale[k]
            out[i, k] = min(max(z, -1.5), 1.5)
    return out


@njit(cache=True, nogil=True)
def _mean_nearest(points: Any, reference: Any, neighbours: int) -> Any:
    """Mean Euclidean distance of each point to its nearest references."""
    n, dimensions = points.shape
    columns = np.ascontiguousarray(reference.T)
    squares = np.empty(len(reference), dtype=np.float32)
    out = np.empty(n)
    best = np.empty(neighbours, dtype=np.float32)
    for i in range(n):
        squares[:] = np.float32(0.0)
        for k in range(dimensions):  # outermost, without a branch: the loop inside is vectorised
            x, column = points[i, k], columns[k]
            for j in range(len(squares)):
                d = x - column[j]
                squares[j] += d * d
        best[:] = np.inf
        for square in squares:
            if square < best[neighbours - 1]:
                m = neighbours - 1
                while m > 0 and best[m - 1] > square:
                    best[m] = best[m - 1]
                    m -= 1
                best[m] = square
        mean = 0.0
        for m in range(neighbours):
            mean += np.sqrt(best[m])
        out[i] = mean / neighbours
    return out


@dataclass(frozen=True, slots=True)
class UnknownScorer:
    """Arrays of the score; all are in ``model.npz`` under ``unknown.``."""

    centre: npt.NDArray[np.float32]
    """Shape (features,)."""
    scale: npt.NDArray[np.float32]
    axes: npt.NDArray[np.float32]
    """Shape (2 features, dimensions): linear discriminants, each of unit spread within classes."""
    reference: npt.NDArray[np.float32]
    """Shape (points, dimensions): training objects."""
    quantiles: FloatArray
    """Shape (signs, 101): of known objects that were not trained on."""
    weights: FloatArray
    """Shape (signs + 1,): of the ranks' logits, the constant last."""

    @staticmethod
    def is_in(arrays: Mapping[str, npt.NDArray[Any]]) -> bool:
        """Whether a model has one."""
        return f"{PREFIX}weights" in arrays

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> UnknownScorer:
        """Read from the arrays of a model; raises ``KeyError`` if one is missing."""
        return UnknownScorer(*(arrays[PREFIX + name] for name in UnknownScorer.__slots__))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by their names in ``model.npz``."""
        return {PREFIX + name: getattr(self, name) for name in self.__slots__}

    def positions(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Where rows of features lie among the discriminants, shape (n, dimensions)."""
        standard = standardised(rows, self.centre, self.scale)
        return np.asarray(standard @ self.axes, dtype=np.float32)

    def signs(self, rows: npt.NDArray[np.float32], probabilities: FloatArray) -> FloatArray:
        """Entropy, 1 - greatest probability, and distance: shape (n, 3)."""
        distance = _mean_nearest(self.positions(rows), self.reference, NEIGHBOURS)
        return np.stack([*doubts(probabilities), distance], axis=1)

    def probability(self, rows: npt.NDArray[np.float32], probabilities: FloatArray) -> FloatArray:
        """``p_unknown`` in [0, 1], shape (n,)."""
        ranks = ranks_among(self.signs(rows, probabilities), self.quantiles)
        return joined(ranks, self.weights)


def doubts(probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Entropy over its greatest value, and one minus the greatest probability; shape (n,) each."""
    safe = np.clip(probabilities, 1e-12, 1.0)
    entropy = -np.sum(probabilities * np.log(safe), axis=1) / np.log(probabilities.shape[1])
    return entropy, 1.0 - probabilities.max(axis=1)


def ranks_among(signs: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Rank of each sign among known objects, in [0, 1]; beyond the last it grows on a little."""
    levels = np.linspace(0.0, 1.0, quantiles.shape[1])
    columns = []
    for k in range(signs.shape[1]):
        rank = np.interp(signs[:, k], quantiles[k], levels)
        span = quantiles[k, -1] - quantiles[k, 0] + 1e-12
        columns.append(rank + np.clip((signs[:, k] - quantiles[k, -1]) / span, 0.0, 1.0))
    return np.stack(columns, axis=1)


def terms(ranks: FloatArray) -> FloatArray:
    """What the logistic function is linear in: ranks, their squares and their products."""
    n = ranks.shape[1]
    products = [ranks[:, i] * ranks[:, j] for i in range(n) for j in range(i, n)]
    high = [np.log(1.02 - np.minimum(ranks[:, i], 1.0)) for i in range(n)]
    return np.column_stack([ranks, *products, *high])


def joined(ranks: FloatArray, weights: FloatArray) -> FloatArray:
    """The logistic function of the terms, shape (n,)."""
    return np.asarray(1.0 / (1.0 + np.exp(-(terms(ranks) @ weights[:-1] + weights[-1]))))
