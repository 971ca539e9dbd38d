"""How good class probabilities are: the numbers the reference and the gate are stated in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.metrics import f1_score

from services.classify.boosted_trees import probabilities_of

FloatArray = npt.NDArray[np.float64]
Labels = npt.NDArray[np.integer[Any]]


def expected_calibration_error(label: Labels, probabilities: FloatArray, bins: int = 15) -> float:
    """Mean |accuracy - confidence| over equal bins of the greatest probability."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == label
    slot = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(slot, right - confidence, bins)
    return float(np.abs(gaps).sum() / len(label))


def class_weighted_log_loss(
    label: Labels, probabilities: FloatArray, weights: FloatArray | None = None
) -> float:
    """Mean over classes of the mean log-loss of their objects (PLAsTiCC, arXiv:1809.11145)."""
    classes = probabilities.shape[1]
    weights = np.ones(classes) if weights is None else weights
    own = -np.log(np.clip(probabilities[np.arange(len(label)), label], 1e-15, 1.0))
    counts = np.bincount(label, minlength=classes)
    means = np.bincount(label, own, classes) / np.maximum(counts, 1)
    present = counts > 0
    return float(np.sum((weights * means)[present]) / np.sum(weights[present]))


def fitted_temperature(
    label: Labels, scores: FloatArray, weight: FloatArray | None = None
) -> float:
    """What log-odds must be divided by for the least log-loss."""
    weight = np.ones(len(label)) if weight is None else weight

    def loss(log_temperature: float) -> float:
        p = probabilities_of(scores.copy(), float(np.exp(log_temperature)))
        own = np.clip(p[np.arange(len(label)), label], 1e-15, 1.0)
        return float(-np.average(np.log(own), weights=weight))

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def precision_recall(label: Labels, probabilities: FloatArray, k: int) -> tuple[float, float]:
    """Precision and recall of class ``k`` by the most probable class; NaN where undefined."""
    said = probabilities.argmax(axis=1) == k
    hits = float((said & (label == k)).sum())
    precision = hits / float(said.sum()) if said.any() else float("nan")
    recall = hits / float((label == k).sum()) if (label == k).any() else float("nan")
    return precision, recall


def summary(label: Labels, probabilities: FloatArray, taxonomy: Sequence[str]) -> dict[str, Any]:
    """All numbers of a set of examples, for a model card."""
    best = probabilities.argmax(axis=1)
    present = np.unique(label)
    return {
        "examples": len(label),
        "accuracy": round(float((best == label).mean()), 4),
        "macro_f1": round(
            float(f1_score(label, best, labels=present, average="macro", zero_division=0)), 4
        ),
        "log_loss": round(class_weighted_log_loss(label, probabilities), 4),
        "ece": round(expected_calibration_error(label, probabilities), 4),
        "precision_recall": {
            taxonomy[k]: [
                None if np.isnan(x) else round(x, 3)
                for x in precision_recall(label, probabilities, int(k))
            ]
            for k in present
        },
        "confusion": np.histogram2d(
            label, best, bins=(np.arange(len(taxonomy) + 1), np.arange(len(taxonomy) + 1))
        )[0]
        .astype(int)
        .tolist(),
    }
