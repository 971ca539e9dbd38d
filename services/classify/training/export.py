"""scikit-learn's histogram gradient boosting, written down as ``BoostedTrees``."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from services.classify.boosted_trees import BoostedTrees


def trees_of(model: HistGradientBoostingClassifier) -> BoostedTrees:
    """The trees of a fitted binary classifier without categorical features.

    The nodes are read from scikit-learn's private ``_predictors``; the test that compares both
    probabilities to 1e-6 is what guards against a change of their layout.
    """
    stages: list[Any] = [stage[0].nodes for stage in model._predictors]
    nodes = np.concatenate(stages)
    if nodes["is_categorical"].any():
        raise ValueError("categorical splits are not exported")
    starts = np.cumsum([0, *(len(stage) for stage in stages[:-1])])
    is_leaf = nodes["is_leaf"].astype(bool)
    return BoostedTrees(
        feature=np.where(is_leaf, -1, nodes["feature_idx"]).astype(np.int16),
        threshold=np.where(is_leaf, 0.0, nodes["num_threshold"]).astype(np.float64),
        left=np.where(is_leaf, 0, nodes["left"]).astype(np.int16),
        right=np.where(is_leaf, 0, nodes["right"]).astype(np.int16),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=np.where(is_leaf, nodes["value"], 0.0).astype(np.float64),
        tree_starts=starts.astype(np.int32),
        baseline=np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1),
    )
