"""SNPCC (simulated DES, 21,319 supernovae): early type Ia, and three classes from whole curves.

The trigger is the second night with a point of S/N 5. 12,000 objects train, the other objects
that trigger are judged.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from bench.classifiers.common import Floats, ask, dataset, fit, rows_of, split_ranks

TRAINING = 12_000
HOLD_OUT = 5_000
_GROWTH = {"rounds": 300, "num_leaves": 16, "learning_rate": 0.05, "feature_fraction": 0.3}
_CLASSES = {"SN Ia": 0, "SN II": 1, "SN IIn": 1, "SN IIL": 1, "SN IIP": 1}


def trigger_mjd() -> Floats:
    """End of the second night with S/N 5 of every object, NaN without one."""
    curves = dataset("snpcc").curves
    strong = curves.flux_njy > 5.0 * curves.flux_err_njy
    nights = np.floor(curves.mjd_tai[strong]).astype(np.int64)
    pairs = np.unique(np.stack([curves.alert_index[strong], nights], axis=1), axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(len(curves)))
    counts = np.bincount(pairs[:, 0], minlength=len(curves))
    times = np.full(len(curves), np.nan)
    enough = counts >= 2
    times[enough] = pairs[starts[enough] + 1, 1] + 1.0
    return times


def early(days: float, *, with_host: bool, seed: int) -> dict[str, float]:
    """Area under ROC of Ia against the rest so many days after the trigger."""
    data, trigger = dataset("snpcc"), trigger_mjd()
    end = np.where(np.isnan(trigger), -np.inf, trigger + days)
    curves = data.curves.points(data.curves.mjd_tai <= end[data.curves.alert_index])
    rows = rows_of("snpcc", curves, with_host=with_host)
    label = np.where(data.truth.is_sn_ia, 0, 1).astype(np.int16)
    triggered = np.flatnonzero(~np.isnan(trigger))
    order = triggered[np.argsort(split_ranks("snpcc", seed)[triggered])]
    train, test = order[:TRAINING], order[TRAINING:]
    forest = fit(rows[train], label[train], 2, seed, 0.0, **_GROWTH)
    probability = ask(forest, rows[test])[:, 0]
    return {"auc": float(roc_auc_score(label[test] == 0, probability)), "judged": len(test)}


def three_classes(*, with_host: bool, seed: int) -> dict[str, float]:
    """Accuracy and macro-F1 of Ia, II, Ibc on 5,000 objects, whole light curves."""
    data = dataset("snpcc")
    rows = rows_of("snpcc", data.curves, with_host=with_host)
    label = np.array([_CLASSES.get(n, 2) for n in data.truth.class_name.tolist()], dtype=np.int16)
    order = np.argsort(split_ranks("snpcc", seed))
    test, train = order[:HOLD_OUT], order[HOLD_OUT:]
    growth = {**_GROWTH, "rounds": 250}
    best = ask(fit(rows[train], label[train], 3, seed, 0.3, **growth), rows[test]).argmax(axis=1)
    return {
        "accuracy": float((best == label[test]).mean()),
        "macro_f1": float(f1_score(label[test], best, average="macro")),
    }
