"""Active anomaly detection: shared random trees, and for each user own weights of their leaves.

Das et al. 2017 (arXiv:1708.09441), Ishida et al. 2021 (arXiv:1909.13260); the trees and the
optimiser are coniferest's. The trees are grown once, from a fixed seed, on alerts without labels.
A user is a vector of leaf weights, fitted anew from all votes: so a user's state is the votes and
nothing else, and can be had again at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from coniferest.aadforest import AADForest
from coniferest.label import Label as Opinion

from services.classify.learning.models.base import Rows

TREES, SUBSAMPLE = 150, 256
_OPINIONS = {"anomaly": Opinion.ANOMALY, "regular": Opinion.REGULAR}
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Space:
    """Where trees cut: features without NaN, long tails drawn in."""

    median: npt.NDArray[np.float32]
    """Shape (features,): stands in for what is missing."""
    spread: npt.NDArray[np.float32]
    """Shape (features,): half the range of the middle two thirds, for explanations."""

    @staticmethod
    def of(rows: Rows) -> Space:
        """The space of some rows, shape (n, features), NaN is missing."""
        x = _compressed(rows)
        known = np.where(np.isfinite(x).any(axis=0), x, 0.0)
        low, median, high = np.nanpercentile(known, [16.0, 50.0, 84.0], axis=0)
        spread = np.maximum(0.5 * (high - low), 1e-3)
        return Space(median.astype(np.float32), spread.astype(np.float32))

    def placed(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Rows as the trees see them."""
        x = _compressed(rows)
        return np.ascontiguousarray(np.where(np.isfinite(x), x, self.median), dtype=np.float32)


def _compressed(rows: Rows) -> npt.NDArray[np.float32]:
    return np.asarray(np.sign(rows) * np.log1p(np.abs(rows)), dtype=np.float32)


class SharedForest:
    """The trees, and the rows they were grown on."""

    def __init__(self, rows: Rows, seed: int, trees: int = TREES) -> None:
        self.space = Space.of(rows)
        self.rows = self.space.placed(rows)
        self._forest = AADForest(n_trees=trees, n_subsamples=SUBSAMPLE, random_seed=seed, n_jobs=1)
        self._forest.fit(self.rows)
        self.prior: Floats = self._forest.evaluator.weights.copy()
        """Leaf weights of somebody who has not voted: a plain isolation forest."""

    def weights(self, rows: Rows, opinions: Sequence[str]) -> Floats:
        """A user's leaf weights from all votes.

        Parameters
        ----------
        rows
            Shape (votes, features): what was voted on.
        opinions
            ``anomaly`` or ``regular``; others count for nothing.
        """
        kept = [k for k, one in enumerate(opinions) if one in _OPINIONS]
        if not kept:
            return self.prior.copy()
        evaluator = self._forest.evaluator
        evaluator.weights = self.prior.copy()
        known = self.space.placed(rows[kept])
        votes = np.array([_OPINIONS[opinions[k]] for k in kept])
        evaluator.fit_known(self.rows, known, votes, prior_weights=self.prior)
        found: Floats = evaluator.weights.copy()
        evaluator.weights = self.prior.copy()
        return found

    def scores(self, rows: Rows, weights: Floats) -> Floats:
        """How anomalous to that user, shape (n,); more is more."""
        placed = self.space.placed(rows)
        return -np.asarray(self._forest.evaluator.score_samples(placed, weights=weights))

    def reasons(
        self, row: npt.NDArray[np.float32], weights: Floats, names: Sequence[str], most: int = 5
    ) -> list[tuple[str, float]]:
        """The features that make one object anomalous to a user, and how much each does.

        By occlusion: how much the score falls if the feature were as usual (the median). Exact for
        this user's weights, where the depth of cuts is not.
        """
        placed = self.space.placed(row[None])
        without = np.repeat(placed, len(names), axis=0)
        without[np.arange(len(names)), np.arange(len(names))] = self.space.median
        score = self._forest.evaluator.score_samples
        fall = score(without, weights=weights) - score(placed, weights=weights)[0]
        best = np.argsort(-fall)[:most]
        return [(names[k], float(fall[k])) for k in best.tolist() if fall[k] > 0.0]


@dataclass(frozen=True, slots=True)
class Interest:
    """What one user has voted, by object; the newest vote of an object counts."""

    opinions: Mapping[str, str]

    def rows_of(self, known: Mapping[str, Any]) -> tuple[list[int], list[str]]:
        """Rows and opinions of the objects that are known, by ``known``'s row numbers."""
        found = [(int(known[name]), one) for name, one in self.opinions.items() if name in known]
        return [row for row, _ in found], [one for _, one in found]
