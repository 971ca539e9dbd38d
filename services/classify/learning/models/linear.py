"""Logistic regression by averaged stochastic gradients, plain or on random Fourier features.

Rahimi & Recht 2007 for the features: an on-line kernel machine of fixed size.
"""

from __future__ import annotations

import numpy as np
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import SGDClassifier

from services.classify.learning.models.base import Labels, Probabilities, Rows, even
from services.classify.learning.scaling import RunningScale


class Linear:
    """The model and its scale."""

    def __init__(self, features: int, classes: int, seed: int, components: int = 0) -> None:
        self._classes = classes
        self._scale = RunningScale(features)
        self._kernel: RBFSampler | None = None
        if components:
            self._kernel = RBFSampler(
                gamma=0.3 / features, n_components=components, random_state=seed
            )
            self._kernel.fit(np.zeros((1, features)))
        self._model = SGDClassifier(loss="log_loss", average=True, alpha=1e-4, random_state=seed)
        self._is_new = True

    def _seen(self, rows: Rows) -> np.ndarray:
        x = self._scale.scaled(rows)
        return x if self._kernel is None else np.asarray(self._kernel.transform(x))

    def learn(self, rows: Rows, label: Labels) -> None:
        """One pass over the chunk."""
        self._scale.learn(rows)
        self._model.partial_fit(self._seen(rows), label, classes=np.arange(self._classes))
        self._is_new = False

    def probabilities(self, rows: Rows) -> Probabilities:
        """Of every class."""
        if self._is_new:
            return even(len(rows), self._classes)
        return np.asarray(self._model.predict_proba(self._seen(rows)))
