"""Models that do not learn on the stream: fitted once, or again from all that was seen.

What stream models are compared with. LightGBM as all our trees are grown, a random forest, and a
forest that rolls: new trees on recent and remembered examples, the oldest dropped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from services.classify.boosted_trees import Forest, probabilities_of
from services.classify.learning.models.base import Labels, Probabilities, Rows, even, spread
from services.classify.learning.reservoir import Reservoir
from services.classify.training.trees import class_weights, grow

Fitted = Callable[[Rows], Probabilities]
Fit = Callable[[Rows, Labels, int, int], Fitted]
"""From rows, labels, classes and seed to something that answers."""
_MISSING = -1e4
"""Stands for NaN where trees cannot tell: below all values that are."""


def boosted(rows: Rows, label: Labels, classes: int, seed: int) -> Fitted:
    """Gradient-boosted trees."""
    present = np.unique(label)
    if len(present) < 2:
        return lambda asked: spread(np.ones((len(asked), 1)), present, classes)
    weight = class_weights(label, classes, 0.25)
    trees = grow(
        rows, label, classes, weight, seed=seed,
        rounds=120, num_leaves=15, learning_rate=0.1, feature_fraction=0.3,
    )  # fmt: skip
    forest = Forest(trees)
    if classes == 2:  # the log-odds are those of class 0
        return lambda asked: _two(forest.scores(asked))
    return lambda asked: probabilities_of(forest.scores(asked), 1.0)


def _two(score: np.ndarray) -> Probabilities:
    first = 1.0 / (1.0 + np.exp(-score[:, 0]))
    return np.stack([first, 1.0 - first], axis=1)


def filled(rows: Rows) -> Rows:
    """Rows without NaN, for scikit-learn's trees."""
    return np.nan_to_num(np.clip(rows, -1e6, 1e6), nan=_MISSING).astype(np.float32)


def forest(rows: Rows, label: Labels, classes: int, seed: int, trees: int = 100) -> Fitted:
    """A random forest."""
    model = RandomForestClassifier(trees, n_jobs=1, random_state=seed, min_samples_leaf=2)
    model.fit(filled(rows), label)
    known = model.classes_.astype(np.int64)
    return lambda asked: spread(model.predict_proba(filled(asked)), known, classes)


class Refitted:
    """Fitted when ``first`` examples are there; again with a seventh, or ``every``, more."""

    def __init__(
        self, features: int, classes: int, seed: int, fit: Fit, every: int | None, first: int = 25
    ) -> None:
        self._fit, self._every, self._first = fit, every, first
        self._classes, self._seed = classes, seed
        self._rows: list[Rows] = []
        self._label: list[Labels] = []
        self._seen, self._due = 0, first
        self._fitted: Fitted | None = None

    def learn(self, rows: Rows, label: Labels) -> None:
        """Remember the chunk; fit if it is time."""
        if self._due < 0:
            return
        self._rows.append(rows)
        self._label.append(label)
        self._seen += len(label)
        if self._seen >= self._due:
            all_rows, all_labels = np.concatenate(self._rows), np.concatenate(self._label)
            self._fitted = self._fit(all_rows, all_labels, self._classes, self._seed)
            more = min(self._every or 0, max(self._seen // 7, 25))
            self._due = self._seen + more if self._every else -1

    def probabilities(self, rows: Rows) -> Probabilities:
        """Of every class, by the newest fit."""
        if self._fitted is None:
            return even(len(rows), self._classes)
        return self._fitted(rows)


class RollingForest:
    """The newest ``generations`` small forests, each grown on a chunk and a sample of the past."""

    def __init__(
        self, features: int, classes: int, seed: int,
        trees: int = 10, generations: int = 20, chunk: int = 250, replay: int = 4_000,
    ) -> None:  # fmt: skip
        self._classes, self._trees, self._generations = classes, trees, generations
        self._chunk, self._replay, self._seed = chunk, replay, seed
        self._rng = np.random.default_rng(seed)
        self._past = Reservoir(replay, features)
        self._waiting: list[tuple[Rows, Labels]] = []
        self._forests: list[Fitted] = []

    def learn(self, rows: Rows, label: Labels) -> None:
        """Grow trees as soon as a chunk is complete."""
        self._waiting.append((rows, label))
        if sum(len(one) for _, one in self._waiting) < self._chunk:
            return
        new_rows, new_label = (np.concatenate(part) for part in zip(*self._waiting, strict=True))
        self._waiting.clear()
        old_rows, old_label = self._past.sample(self._replay, self._rng)
        seed = self._seed + self._past.seen
        self._forests.append(
            forest(
                np.concatenate([new_rows, old_rows]), np.concatenate([new_label, old_label]),
                self._classes, seed, self._trees,
            )
        )  # fmt: skip
        del self._forests[: -self._generations]
        self._past.add(new_rows, new_label, self._rng)

    def probabilities(self, rows: Rows) -> Probabilities:
        """The mean of the forests."""
        if not self._forests:
            return even(len(rows), self._classes)
        return np.asarray(np.mean([one(rows) for one in self._forests], axis=0))
