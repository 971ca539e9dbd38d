"""Gradient-boosted trees as plain arrays, evaluated by a compiled loop.

Numbers are those of LightGBM's ``Booster.predict`` to rounding, at a fraction of its cost for the
hundred rows of an envelope; LightGBM is needed for training only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

_LEAF = -1
_NODE = np.dtype(
    [("feature", "i2"), ("left", "i2"), ("right", "i2"), ("missing_left", "i2"), ("number", "f4")]
)
"""One node in 12 bytes, so that a tree stays in the nearest cache."""

PREFIX = "trees."
"""Begins the names of these arrays in ``model.npz``."""


@njit(cache=True, nogil=True)
def _add_trees(rows: Any, nodes: Any, tree_starts: Any, scores: Any) -> None:
    """Add one leaf of every tree to ``scores``; tree k belongs to class k modulo classes."""
    classes = scores.shape[1]
    for k in range(len(tree_starts)):  # outermost: a tree stays in cache for all rows
        start = tree_starts[k]
        column = k % classes
        for i in range(len(rows)):
            node = nodes[start]
            while node.feature != _LEAF:
                x = rows[i, node.feature]
                if x <= node.number or (node.missing_left == 1 and np.isnan(x)):
                    node = nodes[start + node.left]
                else:
                    node = nodes[start + node.right]
            scores[i, column] += node.number


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """Classifier: the logistic or softmax function of a baseline plus one leaf of every tree."""

    feature: npt.NDArray[np.int16]
    """Per node: column it splits on, -1 at a leaf."""
    left: npt.NDArray[np.int16]
    """Per node: left child, counted from the start of its tree."""
    right: npt.NDArray[np.int16]
    missing_left: npt.NDArray[np.int16]
    """Per node: 1 where a missing value goes left."""
    number: npt.NDArray[np.float32]
    """Per node: at or below goes left; at a leaf, the log-odds it adds."""
    tree_starts: npt.NDArray[np.int32]
    """Shape (trees,): first node of each tree; tree k is of class k modulo classes."""
    baseline: npt.NDArray[np.float64]
    """Shape (classes,), or (1,) of two: log-odds before any tree."""

    @property
    def nodes(self) -> npt.NDArray[Any]:
        """All nodes, one record each."""
        nodes = np.empty(len(self.feature), dtype=_NODE)
        for name in _NODE.names or ():
            nodes[name] = getattr(self, name)
        return nodes

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by their names in ``model.npz``."""
        return {PREFIX + name: getattr(self, name) for name in self.__slots__}

    @staticmethod
    def is_in(arrays: Mapping[str, npt.NDArray[Any]]) -> bool:
        """Whether a model has trees."""
        return f"{PREFIX}feature" in arrays

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> BoostedTrees:
        """The inverse of ``arrays``.

        Raises
        ------
        KeyError
            If an array is missing.
        ValueError
            If a node points outside its tree: a model from elsewhere must not read beside memory.
        """
        trees = BoostedTrees(**{n: arrays[PREFIX + n] for n in BoostedTrees.__slots__})
        trees.check()
        return trees

    def check(self) -> None:
        """Refuse trees whose links leave their tree or run in circles."""
        ends = np.append(self.tree_starts[1:], len(self.feature))
        sizes = np.repeat(ends - self.tree_starts, ends - self.tree_starts)
        own = np.arange(len(self.feature)) - np.repeat(self.tree_starts, ends - self.tree_starts)
        inner = self.feature != _LEAF
        for child in (self.left, self.right):
            if np.any((child <= own)[inner]) or np.any((child >= sizes)[inner]):
                raise ValueError("the model's trees are broken: a node points outside its tree")
        if np.any(self.feature < _LEAF) or len(self.tree_starts) % len(self.baseline):
            raise ValueError("the model's trees are broken: an unknown feature or class")


class Forest:
    """Trees packed for evaluation."""

    def __init__(self, trees: BoostedTrees) -> None:
        self._nodes = trees.nodes
        self._starts = trees.tree_starts
        self._baseline = trees.baseline
        self.least_features = int(trees.feature.max(initial=0)) + 1
        """Rows must have at least so many columns."""

    def scores(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Log-odds, shape (n, classes) or (n, 1) of two.

        Parameters
        ----------
        rows
            Shape (n, features), in the order of training; NaN is missing.
        """
        if rows.shape[1] < self.least_features:
            raise ValueError(f"rows have {rows.shape[1]} features, not {self.least_features}")
        scores = np.repeat(self._baseline[np.newaxis, :], len(rows), axis=0)
        _add_trees(rows, self._nodes, self._starts, scores)
        return scores


def probabilities_of(
    scores: npt.NDArray[np.float64], temperature: float = 1.0
) -> npt.NDArray[np.float64]:
    """Probabilities of all classes, shape (n, classes), the rows' sums one.

    Of two classes the first is the one whose log-odds ``scores`` (n, 1) are.
    """
    scaled = scores / temperature
    if scores.shape[1] == 1:
        first = 1.0 / (1.0 + np.exp(-scaled[:, 0]))
        return np.stack([first, 1.0 - first], axis=1)
    scaled -= scaled.max(axis=1, keepdims=True)
    odds = np.exp(scaled)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True), dtype=np.float64)
