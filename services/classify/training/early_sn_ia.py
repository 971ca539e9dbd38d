"""How ``early_sn_ia`` is trained and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import BoostedTrees
from services.classify.classifiers.early_sn_ia import EARLY_SN_IA, MAX_DAYS, MIN_DETECTIONS
from services.classify.features.early import DEFINITIONS, early_features
from services.classify.training.datasets.base import LabelledLightCurves
from services.classify.training.early_alerts import Cut, EarlyAlerts, cut_alerts
from services.classify.training.examples import is_held_out
from services.classify.training.trees import grow

HOLD_OUT_FRACTION = 0.25
TRAINED_ON = ("plasticc", "snpcc", "osc")
"""ZTF BTS holds one class only: it is for judging. Trained on, it would teach ZTF's cadence."""
CUTS = {
    "plasticc": Cut(alerts_per_object=3, versions=4),
    "snpcc": Cut(alerts_per_object=2, versions=2),
    "osc": Cut(alerts_per_object=20),
    "ztf_bts": Cut(alerts_per_object=1000),
}
_GROWTH: dict[str, Any] = {
    "rounds": 150,
    "num_leaves": 24,
    "learning_rate": 0.08,
    "min_data_in_leaf": 60,
    "lambda_l2": 1.0,
    "feature_fraction": 0.5,
}
_ROWS = [[d.name for d in DEFINITIONS].index(name) for name in EARLY_SN_IA.features]


@dataclass(frozen=True, slots=True)
class Examples:
    """Alerts of one data set as feature rows, with the truth beside them."""

    rows: npt.NDArray[np.float32]
    """Shape (n, features of the classifier)."""
    is_sn_ia: npt.NDArray[np.bool_]
    class_name: npt.NDArray[np.str_]
    object_index: npt.NDArray[np.int32]
    version: npt.NDArray[np.int8]
    days_since_first: npt.NDArray[np.float32]
    is_held_out: npt.NDArray[np.bool_]
    """By object: no object is on both sides."""

    def where(self, keep: npt.NDArray[np.bool_]) -> Examples:
        """The examples for which ``keep`` is true."""
        return Examples(*(getattr(self, name)[keep] for name in self.__slots__))


def examples(dataset: LabelledLightCurves, cut: Cut, seed: int, every: int = 1) -> Examples:
    """Alerts of every ``every``-th object of a data set, as the classifier's features."""
    if (cut.min_detections, cut.max_days) != (MIN_DETECTIONS, MAX_DAYS):
        raise ValueError("alerts must be cut where the classifier answers")
    alerts: EarlyAlerts = cut_alerts(dataset, cut, seed, every)
    truth, index = dataset.truth, alerts.object_index
    return Examples(
        rows=np.ascontiguousarray(early_features(alerts.curves)[_ROWS].T),
        is_sn_ia=truth.is_sn_ia[index],
        class_name=truth.class_name[index],
        object_index=index,
        version=alerts.version,
        days_since_first=alerts.days_since_first,
        is_held_out=is_held_out(dataset.name, truth.object_id, HOLD_OUT_FRACTION)[index],
    )


def balanced_weights(is_sn_ia: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Weights of mean one that give either class half of the total."""
    share = is_sn_ia.mean()
    return np.asarray(np.where(is_sn_ia, 0.5 / share, 0.5 / (1.0 - share)), dtype=np.float64)


def fit(training: list[Examples], seed: int) -> BoostedTrees:
    """Fit the trees to all examples given, both classes weighing the same within each set.

    Within each: five in six of the OSC's supernovae are Ia, and what looks like the OSC, as real
    alerts do, must not be a sign of a Ia.
    """
    rows = np.concatenate([part.rows for part in training])
    label = np.where(np.concatenate([part.is_sn_ia for part in training]), 0, 1)
    weight = np.concatenate([balanced_weights(part.is_sn_ia) for part in training])
    return grow(rows, label, 2, weight, seed=seed, **_GROWTH)


def hyperparameters() -> dict[str, Any]:
    """What the trees were grown with, for the model card."""
    return dict(_GROWTH)
