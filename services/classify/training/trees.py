"""How all our trees are grown: LightGBM, one thread, the same bits for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
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


def averaged(fits: Sequence[BoostedTrees]) -> BoostedTrees:
    """One model whose log-odds are the mean of those of several with the same classes."""
    ends = np.cumsum([len(one.feature) for one in fits])
    joined: dict[str, npt.NDArray[Any]] = {
        name: np.concatenate([getattr(one, name) for one in fits])
        for name in ("feature", "left", "right", "missing_left")
    }
    shares = [np.where(one.feature < 0, one.number / len(fits), one.number) for one in fits]
    return BoostedTrees(
        **joined,
        number=np.concatenate(shares).astype(np.float32),
        tree_starts=np.concatenate(
            [one.tree_starts + end - len(one.feature) for one, end in zip(fits, ends, strict=True)]
        ).astype(np.int32),
        baseline=np.mean([one.baseline for one in fits], axis=0),
    )


def class_weights(
    label: npt.NDArray[np.integer[Any]], classes: int, exponent: float = 1.0
) -> FloatArray:
    """Weights of mean about one; exponent 1 gives every class the same total, 0 changes nothing."""
    counts = np.maximum(np.bincount(label, minlength=classes), 1)
    weight = (len(label) / classes / counts[label]) ** exponent
    return np.asarray(weight / weight.mean(), dtype=np.float64)
