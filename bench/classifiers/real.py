"""Real light curves: OGLE-II microlensing (trained on simulation only), Open Supernova Catalog."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from bench.classifiers.common import ask, dataset, fit, folds, rows_of
from services.classify.features.paczynski import paczynski_features

_LENS_GROWTH = {"rounds": 150, "num_leaves": 8, "learning_rate": 0.05, "feature_fraction": 0.5}
_OSC_GROWTH = {"rounds": 200, "num_leaves": 8, "learning_rate": 0.05, "feature_fraction": 0.2}
_OSC_FOLDS = 5


def ogle(seed: int) -> dict[str, float]:
    """Recall of 214 real events and false positives of 91 real variables at probability 0.5."""
    simulated, real = dataset("ogle_simulated"), dataset("ogle_real")
    rows = paczynski_features(simulated.curves)[0].T.copy()
    label = np.where(simulated.truth.class_name == "microlensing", 0, 1).astype(np.int16)
    forest = fit(rows, label, 2, seed, 1.0, **_LENS_GROWTH)
    probability = ask(forest, paczynski_features(real.curves)[0].T.copy())[:, 0]
    is_lens = real.truth.class_name == "microlensing"
    return {
        "recall": float((probability[is_lens] > 0.5).mean()),
        "false positives": float((probability[~is_lens] > 0.5).sum()),
        "auc": float(roc_auc_score(is_lens, probability)),
    }


def osc(seed: int) -> dict[str, float]:
    """Area under ROC of normal Ia against all else, five folds."""
    data = dataset("osc")
    rows = rows_of("osc", data.curves, with_host=False)
    label = np.where(data.truth.is_sn_ia, 0, 1).astype(np.int16)
    fold = folds("osc", seed, _OSC_FOLDS)
    probability = np.zeros(len(label))
    for k in range(_OSC_FOLDS):
        train = fold != k
        forest = fit(rows[train], label[train], 2, seed, 0.0, **_OSC_GROWTH)
        probability[~train] = ask(forest, rows[~train])[:, 0]
    core = np.isin(data.truth.class_name, ("SN Ia", "SN II", "SN Ibc"))
    return {
        "auc": float(roc_auc_score(label == 0, probability)),
        "auc Ia/II/Ibc": float(roc_auc_score(label[core] == 0, probability[core])),
        "judged": len(label),
    }
