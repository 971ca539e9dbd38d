"""ADAIN: adaptive incremental learning from a stream of chunks.

He, Chen, Li & Xu 2011, IEEE Transactions on Neural Networks 22, 1901. Knowledge of past chunks is
handed on as a *mapping function*: a regression that says, from the features alone, how hard an
example is. For chunk t of m examples:

1. The mapping function of chunk t-1 estimates weights of the new examples, made positive and of
   sum one: P'(j).
2. The newest hypothesis h(t-1) is asked; its pseudo-error is the P' of those it gets wrong,
   epsilon, and beta = epsilon / (1 - epsilon).
3. P(j) = P'(j) beta where h(t-1) was right, P'(j) where it was wrong, normalised: hard examples
   gain. An epsilon of (K-1)/K or more, worse than guessing among K classes, leaves P' as it is.
4. h(t) is fitted on the chunk with weights P, the mapping function on (x, P). The chunk is gone.
5. The hypotheses vote with log(1/beta) + log(K-1); the newest, not yet tested, with the median.

What the paper leaves open, and what is done here: the second term of the vote, for more than two
classes, is SAMME's (Zhu et al. 2009); the base learner is a small set of boosted trees, the
mapping function a support vector regression (one of the paper's two); only the ``most`` hypotheses
with the greatest votes are kept, so that memory does not grow; examples are gathered into chunks
of ``chunk``. The steps were written from the paper's abstract and from accounts of it, not from
its algorithm box.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVR

from services.classify.boosted_trees import BoostedTrees, Forest, probabilities_of
from services.classify.learning.models.base import Arrays, Labels, Probabilities, Rows, even
from services.classify.learning.scaling import RunningScale
from services.classify.training.trees import grow

_LEAST_ERROR = 1e-3
"""A hypothesis without error on a chunk would have an endless vote."""
_LEAST_SHARE = 0.05
"""Least weight the mapping function may give, over the mean."""
Weights = npt.NDArray[np.float64]


class Hypothesis:
    """What one chunk taught, and what its vote counts."""

    def __init__(self, trees: BoostedTrees, classes: int, beta: float | None = None) -> None:
        self.trees, self._forest, self._classes = trees, Forest(trees), classes
        self.beta = beta
        """epsilon / (1 - epsilon) on the chunk after its own; None until then."""

    def says(self, rows: Rows) -> Labels:
        """The class of every row."""
        scores = self._forest.scores(rows)
        if self._classes == 2:
            return (scores[:, 0] < 0.0).astype(np.int64)
        return np.asarray(probabilities_of(scores, 1.0).argmax(axis=1))

    def vote(self, median_beta: float) -> float:
        """How much it counts, zero or more."""
        beta = median_beta if self.beta is None else self.beta
        return float(max(-np.log(beta) + np.log(self._classes - 1.0), 0.0))


class Adain:
    """The hypotheses, the last chunk's weights and the mapping function fitted on them."""

    def __init__(
        self, features: int, classes: int, seed: int, chunk: int = 250, most: int = 40
    ) -> None:
        self._classes, self._seed, self._chunk, self._most = classes, seed, chunk, most
        self._scale = RunningScale(features)
        self._waiting_rows = np.zeros((0, features), dtype=np.float32)
        self._waiting_label = np.zeros(0, dtype=np.int64)
        self.hypotheses: list[Hypothesis] = []
        self.last_rows = np.zeros((0, features), dtype=np.float32)
        """The last chunk, shape (m, features): the mapping function's examples."""
        self.last_weights: Weights = np.zeros(0)
        """Its weights P, shape (m,), of sum one."""
        self.chunks = 0

    def learn(self, rows: Rows, label: Labels) -> None:
        """Gather examples; learn every chunk that is complete."""
        self._waiting_rows = np.concatenate([self._waiting_rows, rows])
        self._waiting_label = np.concatenate([self._waiting_label, label])
        while len(self._waiting_label) >= self._chunk:
            first, rest = slice(0, self._chunk), slice(self._chunk, None)
            now_rows, now_label = self._waiting_rows[first], self._waiting_label[first]
            self._waiting_rows = self._waiting_rows[rest].copy()
            self._waiting_label = self._waiting_label[rest].copy()
            self.learn_chunk(now_rows, now_label)

    def learn_chunk(self, rows: Rows, label: Labels) -> None:
        """Steps 1 to 4 for one chunk."""
        self._scale.learn(rows)
        weights = self.estimated_weights(rows)
        if self.hypotheses:
            weights = self._reweighted(rows, label, weights)
        trees = grow(
            rows, label, self._classes, weights * len(weights), seed=self._seed + self.chunks,
            rounds=40, num_leaves=8, learning_rate=0.15, feature_fraction=0.4, min_data_in_leaf=5,
        )  # fmt: skip
        self.hypotheses.append(Hypothesis(trees, self._classes))
        self._forget()
        self.last_rows, self.last_weights = rows.copy(), weights
        self.chunks += 1

    def estimated_weights(self, rows: Rows) -> Weights:
        """P': what the mapping function expects of new rows, positive and of sum one."""
        if not len(self.last_weights):
            return np.full(len(rows), 1.0 / len(rows))
        hardness = self.last_weights * len(self.last_weights)
        mapping = SVR(C=1.0, epsilon=0.1, gamma="scale")
        mapping.fit(self._scale.scaled(self.last_rows), hardness)
        estimate = np.maximum(mapping.predict(self._scale.scaled(rows)), _LEAST_SHARE)
        return np.asarray(estimate / estimate.sum())

    def _reweighted(self, rows: Rows, label: Labels, estimate: Weights) -> Weights:
        newest = self.hypotheses[-1]
        is_wrong = newest.says(rows) != label
        error = float(estimate[is_wrong].sum())
        guessing = (self._classes - 1.0) / self._classes
        beta = max(error, _LEAST_ERROR) / (1.0 - min(error, 1.0 - _LEAST_ERROR))
        newest.beta = beta
        if error >= guessing:
            return estimate
        weights = np.where(is_wrong, estimate, estimate * min(beta, 1.0))
        return np.asarray(weights / weights.sum())

    def _median_beta(self) -> float:
        known = [one.beta for one in self.hypotheses if one.beta is not None]
        return float(np.median(known)) if known else 0.5

    def _forget(self) -> None:
        """Keep the newest hypothesis, and of the others those with the greatest votes."""
        if len(self.hypotheses) > self._most:
            median = self._median_beta()
            votes = [one.vote(median) for one in self.hypotheses[:-1]]
            del self.hypotheses[int(np.argmin(votes))]

    def probabilities(self, rows: Rows) -> Probabilities:
        """Each class's share of the votes."""
        if not self.hypotheses:
            return even(len(rows), self._classes)
        median = self._median_beta()
        votes = np.full((len(rows), self._classes), 1e-3)
        here = np.arange(len(rows))
        for one in self.hypotheses:
            votes[here, one.says(rows)] += one.vote(median)
        return np.asarray(votes / votes.sum(axis=1, keepdims=True))

    def arrays(self) -> Arrays:
        """The whole state."""
        state = {
            **self._scale.arrays(),
            "waiting_rows": self._waiting_rows,
            "waiting_label": self._waiting_label,
            "last_rows": self.last_rows,
            "last_weights": self.last_weights,
            "chunks": np.array([self.chunks, self._classes]),
            "betas": np.array([np.nan if h.beta is None else h.beta for h in self.hypotheses]),
        }
        for k, one in enumerate(self.hypotheses):
            state |= {f"hypothesis.{k}.{n}": a for n, a in one.trees.arrays().items()}
        return state

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take a saved state over."""
        self._scale = RunningScale.from_arrays(arrays)
        self._waiting_rows, self._waiting_label = arrays["waiting_rows"], arrays["waiting_label"]
        self.last_rows, self.last_weights = arrays["last_rows"], arrays["last_weights"]
        self.chunks, self._classes = (int(n) for n in arrays["chunks"])
        self.hypotheses = []
        for k, beta in enumerate(arrays["betas"].tolist()):
            begin = f"hypothesis.{k}."
            own = {n.removeprefix(begin): a for n, a in arrays.items() if n.startswith(begin)}
            trees = BoostedTrees.from_arrays(own)
            known = None if np.isnan(beta) else beta
            self.hypotheses.append(Hypothesis(trees, self._classes, known))
