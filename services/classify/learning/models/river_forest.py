"""River's adaptive random forest (Gomes et al. 2017, Machine Learning 106, 1469).

Trees grow by single examples, and are replaced where ADWIN notices that they err more. A
dictionary per example: a hundred times slower than the others, here to compare with.
"""

from __future__ import annotations

import numpy as np

from services.classify.learning.models.base import Labels, Probabilities, Rows, even
from services.classify.learning.scaling import RunningScale


class RiverForest:
    """The forest behind the running scale."""

    def __init__(self, features: int, classes: int, seed: int, trees: int = 10) -> None:
        from river.forest import ARFClassifier  # noqa: PLC0415  # slow to import

        self._classes = classes
        self._scale = RunningScale(features)
        self._forest = ARFClassifier(n_models=trees, seed=seed)
        self._is_new = True

    def learn(self, rows: Rows, label: Labels) -> None:
        """Example by example."""
        self._scale.learn(rows)
        for x, y in zip(self._scale.scaled(rows), label.tolist(), strict=True):
            self._forest.learn_one(dict(enumerate(x.tolist())), y)
        self._is_new = False

    def probabilities(self, rows: Rows) -> Probabilities:
        """Of every class; even where no tree has an opinion."""
        found = even(len(rows), self._classes)
        if self._is_new:
            return found
        for k, x in enumerate(self._scale.scaled(rows)):
            said = self._forest.predict_proba_one(dict(enumerate(x.tolist())))
            own = np.array([said.get(c, 0.0) for c in range(self._classes)])
            if own.sum() > 0.0:
                found[k] = own / own.sum()
        return found
