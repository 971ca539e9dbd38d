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
from services.classify.training.trees import averaged, grow

HOLD_OUT_FRACTION = 0.2
TRAINED_ON = ("plasticc", "snpcc", "osc", "ztf_bts", "sdss_rrlyrae", "stars_simulated")
CUTS = {
    "plasticc": Cut(
        alerts_per_object=3,
        versions=4,
        rare_versions={"kilonova": 16, "RR Lyrae": 8, "microlensing": 8, "Mira": 8},
    ),
    "snpcc": Cut(alerts_per_object=2, versions=2),
    "osc": Cut(alerts_per_object=20, versions=2),
    "ztf_bts": Cut(alerts_per_object=8),
    "sdss_rrlyrae": Cut(alerts_per_object=8),
    "stars_simulated": Cut(alerts_per_object=8),
}
SHARES = {
    "plasticc": 1.5,
    "snpcc": 0.7,
    "osc": 1.2,
    "ztf_bts": 0.1,
    "sdss_rrlyrae": 0.4,
    "stars_simulated": 0.15,
}
"""Weight of each set, all its alerts together. ZTF BTS holds one class only: too much of it would
teach that what ZTF's cadence shows is a Ia."""
OTHERS_EXPONENT = {"plasticc": 1.0}
"""How far the classes that are not Ia are made equal, set by set: 0 not at all, 1 wholly."""
_GROWTH: dict[str, Any] = {
    "rounds": 250,
    "num_leaves": 16,
    "learning_rate": 0.05,
    "min_data_in_leaf": 60,
    "lambda_l2": 1.0,
    "feature_fraction": 0.3,
}
FITS = 3
"""How many fits, each with another seed, are averaged: what one says of a supernova as bright as
SN 2021rhu, of which there are few, scatters by a tenth from seed to seed."""
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


def weights(part: Examples, share: float, others_exponent: float) -> npt.NDArray[np.float64]:
    """Weights whose total is ``share``: half on either side of the question, if both are there.

    Parameters
    ----------
    part
        Examples of one set.
    share
        Of the set.
    others_exponent
        Among the classes that are not Ia, each weighs its number to one minus this power.
    """
    _, kind, counts = np.unique(part.class_name, return_inverse=True, return_counts=True)
    weight = np.where(part.is_sn_ia, 1.0, counts[kind].astype(np.float64) ** -others_exponent)
    for side in (part.is_sn_ia, ~part.is_sn_ia):
        weight[side] *= 0.5 / max(weight[side].sum(), 1e-12)
    return np.asarray(share * weight / weight.sum(), dtype=np.float64)


def fit(training: dict[str, Examples], seed: int) -> BoostedTrees:
    """Fit trees to the examples of each set, both classes weighing the same within a set.

    Within each: five in six of the OSC's supernovae are Ia, and what looks like the OSC, as real
    alerts do, must not be a sign of a Ia. The log-odds are the mean of ``FITS`` fits, whose seeds
    follow from ``seed``.
    """
    rows = np.concatenate([part.rows for part in training.values()])
    label = np.where(np.concatenate([part.is_sn_ia for part in training.values()]), 0, 1)
    weight = np.concatenate(
        [
            weights(part, SHARES[name], OTHERS_EXPONENT.get(name, 0.0))
            for name, part in training.items()
        ]
    )
    weight *= len(weight) / weight.sum()
    seeds = [FITS * seed + k for k in range(FITS)]
    return averaged([grow(rows, label, 2, weight, seed=one, **_GROWTH) for one in seeds])


def hyperparameters() -> dict[str, Any]:
    """What the trees were grown with, for the model card."""
    return {**_GROWTH, "fits": FITS}
