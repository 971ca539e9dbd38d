"""Grows the isolation forest of ``anomaly``, on alerts cut from simulated and real light curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest as Grown

from services.classify.classifiers.anomaly import BINS, FEATURES
from services.classify.isolation import IsolationForest
from services.classify.training.datasets import DATASETS
from services.classify.training.examples import examples_of

Say = Callable[[str], None]
LOOKS = {"plasticc": ("ztf_alert", "lsst_alert"), "snpcc": ("ztf_alert",), "osc": ("ztf_alert",)}
_TREES, _SAMPLE = 100, 256


def make(data: Path, seed: int, every: int, say: Say) -> tuple[dict[str, npt.NDArray[Any]], int]:
    """Arrays of the model, and how many alerts it was grown on."""
    parts = []
    for name, looks in LOOKS.items():
        dataset = DATASETS[name].load(data)
        classes = sorted(set(dataset.truth.class_name.tolist()))
        weights = dict.fromkeys(looks, 1.0)
        found = examples_of(dataset, weights, classes, FEATURES, seed=seed)
        rows = found.rows[found.object_index % (every * (4 if name == "snpcc" else 1)) == 0]
        say(f"{name:10s} {len(rows):7d} alerts")
        parts.append(rows)
    rows = np.concatenate(parts)
    forest = grown(rows, seed)
    return forest.arrays(), len(rows)


def grown(rows: npt.NDArray[np.float32], seed: int) -> IsolationForest:
    """An isolation forest of alerts; missing features count as the median."""
    median = np.nan_to_num(np.nanmedian(rows, axis=0)).astype(np.float32)
    filled = np.where(np.isnan(rows), median, rows)
    model = Grown(n_estimators=_TREES, max_samples=_SAMPLE, random_state=seed).fit(filled)
    columns: dict[str, list[npt.NDArray[Any]]] = {
        name: [] for name in ("feature", "threshold", "left", "right", "number")
    }
    for estimator, own in zip(model.estimators_, model.estimators_features_, strict=True):
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        columns["feature"].append(np.where(is_leaf, -1, own[tree.feature]))
        columns["threshold"].append(np.where(is_leaf, 0.0, tree.threshold))
        columns["left"].append(np.where(is_leaf, 0, tree.children_left))
        columns["right"].append(np.where(is_leaf, 0, tree.children_right))
        columns["number"].append(tree.n_node_samples)
    sizes = [len(one) for one in columns["feature"]]
    types = {"threshold": np.float32, "number": np.float32}
    joined: dict[str, Any] = {
        n: np.concatenate(c).astype(types.get(n, np.int16)) for n, c in columns.items()
    }
    forest = IsolationForest(
        **joined,
        tree_starts=np.cumsum([0, *sizes[:-1]]).astype(np.int32),
        median=median,
        reference=np.zeros(BINS),
    )
    scores, _ = forest.scores(rows)
    counts = np.bincount(np.clip((scores * BINS).astype(int), 0, BINS - 1), minlength=BINS)
    return IsolationForest(
        **joined, tree_starts=forest.tree_starts, median=median, reference=counts.astype(np.float64)
    )
