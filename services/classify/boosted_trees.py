"""Gradient-boosted trees as plain arrays, evaluated by a compiled loop.

A model is two files: ``trees.npz`` (arrays only; ``allow_pickle=False``) and ``model.json``, its
card. Numbers are those of scikit-learn's ``HistGradientBoostingClassifier`` to rounding, at a
fraction of its cost for the hundred rows of an envelope, and scikit-learn is needed for training
only.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

TREES_FILE = "trees.npz"
CARD_FILE = "model.json"

_LEAF = -1


@njit(cache=True, nogil=True)
def _raw_scores(
    rows: Any, nodes: tuple[Any, Any, Any, Any, Any, Any], tree_starts: Any, baseline: float
) -> Any:
    feature, threshold, left, right, missing_left, value = nodes
    scores = np.full(len(rows), baseline)
    for start in tree_starts:  # outermost: a tree stays in cache for all rows
        for i in range(len(rows)):
            node = start
            while feature[node] != _LEAF:
                x = rows[i, feature[node]]
                goes_left = x <= threshold[node] or (missing_left[node] and np.isnan(x))
                node = start + (left[node] if goes_left else right[node])
            scores[i] += value[node]
    return scores


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """Binary classifier: the logistic function of a baseline plus one leaf of every tree."""

    feature: npt.NDArray[np.int16]
    """Per node: row of the feature it splits on, -1 at a leaf."""
    threshold: npt.NDArray[np.float64]
    """Per node: at or below goes left."""
    left: npt.NDArray[np.int16]
    """Per node: left child, counted from the start of its tree."""
    right: npt.NDArray[np.int16]
    missing_left: npt.NDArray[np.bool_]
    """Per node: where a missing value goes."""
    value: npt.NDArray[np.float64]
    """Per node: log-odds added at a leaf."""
    tree_starts: npt.NDArray[np.int32]
    """Shape (trees,): first node of each tree."""
    baseline: npt.NDArray[np.float64]
    """Shape (1,): log-odds before any tree."""

    def probability(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probability of the positive class.

        Parameters
        ----------
        rows
            Shape (n, features), in the order of training; NaN is missing.
        """
        nodes = (
            self.feature,
            self.threshold,
            self.left,
            self.right,
            self.missing_left,
            self.value,
        )
        scores = _raw_scores(rows, nodes, self.tree_starts, float(self.baseline[0]))
        return np.asarray(1.0 / (1.0 + np.exp(-scores)), dtype=np.float64)

    def to_bytes(self) -> bytes:
        """The content of ``trees.npz``; the same trees give the same bytes."""
        sink = io.BytesIO()
        arrays: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        np.savez_compressed(sink, **arrays)
        return sink.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> BoostedTrees:
        """Read ``trees.npz``; raises ``ValueError`` or ``KeyError`` if it is not one."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return BoostedTrees(**{name: arrays[name] for name in BoostedTrees.__slots__})


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Trees with the card that says what they are."""

    trees: BoostedTrees
    features: tuple[str, ...]
    """Names of the features, in the order of training."""
    version: str
    """First twelve hexadecimal digits of the SHA-256 of ``trees.npz``."""
    card: dict[str, Any]
    """All of ``model.json``."""


def identity_of(content: bytes) -> str:
    """SHA-256 of ``trees.npz``, hexadecimal: the model's id."""
    return hashlib.sha256(content).hexdigest()


def load_model(folder: Path, feature_version: str) -> TrainedModel:
    """Read and verify the model in ``folder``.

    Raises
    ------
    FileNotFoundError
        If the folder holds no model.
    ValueError
        If the trees are not those the card describes, or were trained on other features.
    """
    content = (folder / TREES_FILE).read_bytes()
    card = json.loads((folder / CARD_FILE).read_text())
    if card["id"] != identity_of(content):
        raise ValueError(f"{folder / TREES_FILE} is not the model that {CARD_FILE} describes")
    if card["feature_version"] != feature_version:
        raise ValueError(
            f"{folder}: trained on features of version {card['feature_version']}, the code has"
            f" {feature_version}; train it again with `tocsin classify train`"
        )
    return TrainedModel(
        trees=BoostedTrees.from_bytes(content),
        features=tuple(card["features"]),
        version=card["id"][:12],
        card=card,
    )
