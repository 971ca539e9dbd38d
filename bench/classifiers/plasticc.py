"""PLAsTiCC's training set (simulated LSST, 7,848 objects): fourteen classes, and none of them.

Three folds. The temperature of each fold is fitted on the predictions of the two others. The
host's photometric redshift is used, the spectroscopic one never.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from bench.classifiers.common import Labels, Rows, dataset, fit, folds, rows_of
from services.classify.boosted_trees import BoostedTrees, probabilities_of
from services.classify.training.scores import (
    class_weighted_log_loss,
    expected_calibration_error,
    fitted_temperature,
    precision_recall,
)
from services.classify.training.trees import class_weights, grow
from services.classify.training.unknown_fit import hide, left_out_scores

_GROWTH = {"rounds": 170, "num_leaves": 10, "learning_rate": 0.06, "feature_fraction": 0.25}
_HIDDEN = ("kilonova", "SLSN-I", "microlensing", "Mira", "TDE", "M-dwarf flare", "AGN")
_FOLDS = 3


def _table() -> tuple[Rows, Labels, list[str]]:
    data = dataset("plasticc")
    names, label = np.unique(data.truth.class_name, return_inverse=True)
    rows = rows_of("plasticc", data.curves, with_host=True)
    return rows, label.astype(np.int16), [str(n) for n in names]


def fourteen(seed: int) -> dict[str, float]:
    """Macro-F1, log-loss with PLAsTiCC's weights, ECE; kilonova and microlensing."""
    rows, label, names = _table()
    fold = folds("plasticc", seed, _FOLDS)
    scores = np.zeros((len(label), len(names)))
    for k in range(_FOLDS):
        train = fold != k
        forest = fit(rows[train], label[train], len(names), seed, 1.0, **_GROWTH)
        scores[~train] = forest.scores(rows[~train])
    probabilities = np.zeros_like(scores)
    for k in range(_FOLDS):
        others = fold != k
        temperature = fitted_temperature(label[others], scores[others])
        probabilities[~others] = probabilities_of(scores[~others].copy(), temperature)
    weights = np.array([2.0 if name in {"TDE", "kilonova"} else 1.0 for name in names])
    best = probabilities.argmax(axis=1)
    result = {
        "accuracy": float((best == label).mean()),
        "macro_f1": float(f1_score(label, best, average="macro")),
        "log_loss": class_weighted_log_loss(label, probabilities, weights),
        "ece": expected_calibration_error(label, probabilities),
    }
    for name in ("kilonova", "microlensing", "SN Ia", "TDE", "SLSN-I"):
        precision, recall = precision_recall(label, probabilities, names.index(name))
        result |= {f"{name} precision": precision, f"{name} recall": recall}
    return result


def unknown(seed: int) -> dict[str, float]:
    """AUROC and TPR at 5 % FPR of p_unknown for each class hidden; weights from the other six."""
    rows, label, names = _table()
    is_test = folds("plasticc", seed, 10) < 3

    def grown(x: Rows, y: npt.NDArray[np.integer[Any]], classes: int) -> BoostedTrees:
        return grow(x, y, classes, class_weights(y, classes), seed=seed, **_GROWTH)

    seen = [hide(name, rows, label, is_test, names, seed, grown) for name in _HIDDEN]
    scores = left_out_scores(seen)
    result = {f"{name} auroc": auroc for name, (auroc, _) in scores.items()}
    result |= {f"{name} tpr": tpr for name, (_, tpr) in scores.items()}
    result["mean auroc"] = float(np.mean([a for a, _ in scores.values()]))
    result["mean tpr at 5 % fpr"] = float(np.mean([t for _, t in scores.values()]))
    return result
