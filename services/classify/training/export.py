"""LightGBM's trees, written down as ``BoostedTrees``."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import BoostedTrees


def trees_of(booster: lightgbm.Booster) -> BoostedTrees:
    """The trees of a fitted binary or multi-class booster without categorical features.

    Thresholds are rounded down to single precision: no single-precision value lies between, so
    every row goes the same way. A test compares both probabilities to 1e-6.
    """
    model = booster.dump_model()
    columns: list[list[tuple[int, int, int, int, float]]] = []
    for tree in model["tree_info"]:
        nodes: list[tuple[int, int, int, int, float]] = []
        _flatten(tree["tree_structure"], nodes)
        columns.append(nodes)
    flat = [node for nodes in columns for node in nodes]
    starts = np.cumsum([0, *(len(nodes) for nodes in columns[:-1])])
    feature, left, right, missing_left, number = zip(*flat, strict=True)
    return BoostedTrees(
        feature=np.array(feature, dtype=np.int16),
        left=np.array(left, dtype=np.int16),
        right=np.array(right, dtype=np.int16),
        missing_left=np.array(missing_left, dtype=np.int16),
        number=_rounded(np.array(number), np.array(feature) >= 0),
        tree_starts=starts.astype(np.int32),
        baseline=np.zeros(int(model["num_tree_per_iteration"]), dtype=np.float64),
    )


def _flatten(node: dict[str, Any], nodes: list[tuple[int, int, int, int, float]]) -> int:
    """Append a node and all below it; return where it stands in its tree."""
    at = len(nodes)
    if "leaf_value" in node:
        nodes.append((-1, 0, 0, 0, float(node["leaf_value"])))
        return at
    if node["decision_type"] != "<=":
        raise ValueError("categorical splits are not exported")
    nodes.append((0, 0, 0, 0, 0.0))
    left = _flatten(node["left_child"], nodes)
    right = _flatten(node["right_child"], nodes)
    threshold = float(node["threshold"])
    # Where no value was missing in training, LightGBM takes a missing one for zero.
    goes_left = node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0.0
    nodes[at] = (int(node["split_feature"]), left, right, int(goes_left), threshold)
    return at


def _rounded(
    numbers: npt.NDArray[np.float64], is_threshold: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Single precision; thresholds never above what they were."""
    greatest = float(np.finfo(np.float32).max)  # LightGBM's "everything but missing" is larger
    numbers = np.clip(numbers, -greatest, greatest)
    single = numbers.astype(np.float32)
    above = is_threshold & (single.astype(np.float64) > numbers)
    return np.where(above, np.nextafter(single, np.float32(-np.inf)), single).astype(np.float32)
