"""How good probabilities are: ranking, calibration, and what a threshold of one half gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import brier_score_loss, roc_auc_score

from services.classify.training.early_sn_ia import Examples, balanced_weights

Probabilities = npt.NDArray[np.float64]
THRESHOLD = 0.5


def expected_calibration_error(
    is_positive: npt.NDArray[np.bool_], probability: Probabilities, bins: int = 10
) -> float:
    """Mean |fraction - probability| over equal bins, both classes weighing half."""
    weight = balanced_weights(is_positive)
    slot = np.minimum((probability * bins).astype(int), bins - 1)
    total = np.bincount(slot, weight, bins)
    gap = np.bincount(slot, weight * (is_positive - probability), bins)
    return float(np.sum(np.abs(gap)) / np.sum(total))


def summary(of: Examples, probability: Probabilities) -> dict[str, Any]:
    """Counts and scores of a set of alerts; scores that need both classes only with both."""
    said = probability > THRESHOLD
    result: dict[str, Any] = {
        "alerts": len(probability),
        "objects": len(np.unique(of.object_index)),
        "alerts_sn_ia": int(of.is_sn_ia.sum()),
    }
    if of.is_sn_ia.any():
        result["efficiency"] = float(said[of.is_sn_ia].mean())
    if of.is_sn_ia.any() and not of.is_sn_ia.all():
        weight = balanced_weights(of.is_sn_ia)
        result |= {
            "false_positive_rate": float(said[~of.is_sn_ia].mean()),
            "purity_if_half_are_sn_ia": float(
                (weight * of.is_sn_ia)[said].sum() / weight[said].sum()
            ),
            "auc": float(roc_auc_score(of.is_sn_ia, probability)),
            "brier": float(brier_score_loss(of.is_sn_ia, probability, sample_weight=weight)),
            "ece": expected_calibration_error(of.is_sn_ia, probability),
        }
    return {key: round(v, 4) if isinstance(v, float) else v for key, v in result.items()}


def newest_by(of: Examples, days: float) -> npt.NDArray[np.bool_]:
    """The newest alert of each object and version at most ``days`` after its first detection."""
    keep = np.zeros(len(of.rows), dtype=bool)
    early = np.flatnonzero(of.days_since_first <= days)
    group = of.object_index[early].astype(np.int64) * 256 + of.version[early]
    order = np.lexsort((of.days_since_first[early], group))
    last = np.append(np.diff(group[order]) != 0, True)
    keep[early[order[last]]] = True
    return keep


def by_age(of: Examples, probability: Probabilities) -> dict[str, dict[str, Any]]:
    """Summaries one alert an object, 3, 7, 14 and 25 days after the first detection."""
    result = {}
    for days in (3, 7, 14, 25):
        keep = newest_by(of, days)
        if keep.any():
            result[f"+{days} d"] = summary(of.where(keep), probability[keep])
    return result


def by_class(of: Examples, probability: Probabilities) -> dict[str, float]:
    """Share of alerts with probability above one half, class by class."""
    said = probability > THRESHOLD
    names = np.unique(of.class_name).tolist()
    return {name: round(float(said[of.class_name == name].mean()), 4) for name in names}
