"""An isolation forest as plain arrays: how few cuts at random set an alert apart.

Liu, Ting & Zhou 2008 (ICDM 413). Grown with scikit-learn, evaluated here. Each cut that an alert
passes through is credited to its feature by the surprise, in bits, of ending up on that side; the
features with most credit are what sets it apart (as in DIFFI, arXiv:2007.11117, by path).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

PREFIX = "isolation."
_LEAF = -1


@njit(cache=True, nogil=True)
def _walk(
    rows: Any, cuts: tuple[Any, Any, Any, Any, Any], starts: Any, depths: Any, credit: Any
) -> None:
    feature, threshold, left, right, number = cuts
    for start in starts:
        for i in range(len(rows)):
            node, depth = start, 0
            while feature[node] != _LEAF:
                f = feature[node]
                child = start + (left[node] if rows[i, f] <= threshold[node] else right[node])
                credit[i, f] += np.log2(number[node] / number[child]) - 1.0
                node = child
                depth += 1
            n = number[node]
            extra = 0.0
            if n > 2.0:
                extra = 2.0 * (np.log(n - 1.0) + 0.5772156649) - 2.0 * (n - 1.0) / n
            elif n > 1.0:
                extra = 1.0
            depths[i] += depth + extra


@dataclass(frozen=True, slots=True)
class IsolationForest:
    """Trees of random cuts; all arrays are in ``model.npz`` under ``isolation.``."""

    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int16]
    right: npt.NDArray[np.int16]
    number: npt.NDArray[np.float32]
    """Per node: training rows in it."""
    tree_starts: npt.NDArray[np.int32]
    median: npt.NDArray[np.float32]
    """Shape (features,): stands in for what is missing."""
    reference: npt.NDArray[np.float64]
    """Shape (bins,): counts of training scores from 0 to 1, to rank the first alerts among."""

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> IsolationForest:
        """Read from the arrays of a model; raises ``KeyError`` or ``ValueError``."""
        forest = IsolationForest(*(arrays[PREFIX + name] for name in IsolationForest.__slots__))
        ends = np.append(forest.tree_starts[1:], len(forest.feature))
        sizes = np.repeat(ends - forest.tree_starts, ends - forest.tree_starts)
        own = np.arange(len(forest.feature)) - np.repeat(
            forest.tree_starts, ends - forest.tree_starts
        )
        inner = forest.feature != _LEAF
        for child in (forest.left, forest.right):
            if np.any((child <= own)[inner]) or np.any((child >= sizes)[inner]):
                raise ValueError("the forest is broken: a node points outside its tree")
        if np.any(forest.feature < _LEAF) or np.any(forest.feature >= len(forest.median)):
            raise ValueError("the forest is broken: an unknown feature")
        return forest

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by their names in ``model.npz``."""
        return {PREFIX + name: getattr(self, name) for name in self.__slots__}

    def scores(
        self, rows: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """Anomaly scores in (0, 1), shape (n,), and the features' credit, shape (n, features)."""
        filled = np.where(np.isnan(rows), self.median, rows)
        depths = np.zeros(len(rows))
        credit = np.zeros(rows.shape, dtype=np.float32)
        cuts = (self.feature, self.threshold, self.left, self.right, self.number)
        _walk(filled, cuts, self.tree_starts, depths, credit)
        n = float(self.number[0])
        usual = 2.0 * (np.log(n - 1.0) + 0.5772156649) - 2.0 * (n - 1.0) / n
        return 2.0 ** (-depths / len(self.tree_starts) / usual), credit
