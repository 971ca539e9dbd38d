"""How all our trees are grown: LightGBM, one thread, the same bits for the same seed."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import BoostedTrees
from services.classify.training.export import trees_of

FloatArray = npt.NDArray[np.float64]

_ALWAYS: dict[str, Any] = {
    "bagging_freq": 1,
    "max_bin": 127,
    "num_threads": 1,  # contended OpenMP stalls for minutes
    "deterministic": True,
    "force_col_wise": True,
    "verbose": -1,
}
GROWTH: dict[str, Any] = {
    "learning_rate": 0.06,
    "num_leaves": 12,
    "feature_fraction": 0.25,
    "bagging_fraction": 0.7,
    "min_data_in_leaf": 12,
    "lambda_l2": 5.0,
    "rounds": 150,
}
"""Defaults; a recipe's own go before them and are written into the model card."""


def grow(
    rows: npt.NDArray[np.float32],
    label: npt.NDArray[np.integer[Any]],
    classes: int,
    weight: FloatArray,
    *,
    seed: int,
    **growth: Any,
) -> BoostedTrees:
    """Fit trees.

    Parameters
    ----------
    rows
        Shape (n, features); NaN is missing.
    label
        Shape (n,): index of the class. Of two classes, class 0 is the one whose log-odds are
        given.
    classes
        How many there are.
    weight
        Shape (n,).
    seed
        Of the choice of rows and features.
    growth
        Overrides of ``GROWTH``.
    """
    settings = {**GROWTH, **growth}
    rounds = int(settings.pop("rounds"))
    if classes == 2:
        target: Any = label == 0
        settings["objective"] = "binary"
    else:
        target = label
        settings.update(objective="multiclass", num_class=classes)
    data = lightgbm.Dataset(rows, target, weight=weight, free_raw_data=True)
    return trees_of(lightgbm.train({**_ALWAYS, **settings, "seed": seed}, data, rounds))


def class_weights(
    label: npt.NDArray[np.integer[Any]], classes: int, exponent: float = 1.0
) -> FloatArray:
    """Weights of mean about one; exponent 1 gives every class the same total, 0 changes nothing."""
    counts = np.maximum(np.bincount(label, minlength=classes), 1)
    weight = (len(label) / classes / counts[label]) ** exponent
    return np.asarray(weight / weight.mean(), dtype=np.float64)
