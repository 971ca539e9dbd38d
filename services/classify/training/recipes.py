"""The recipes: what each model of the stream is trained on. One entry per model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.classify.classifiers.base import ClassifierDefinition
from services.classify.classifiers.kilonova import KILONOVA, MAX_DAYS
from services.classify.classifiers.microlensing import MICROLENSING
from services.classify.classifiers.transient import TRANSIENT
from services.classify.training.examples import Examples
from services.classify.training.recipe import Recipe

CLASS_NAMES = {
    "SLSN-I": "SLSN",
    "SN IIn": "SN II",
    "SN IIL": "SN II",
    "SN IIP": "SN II",
    "SN Ib": "SN Ibc",
    "SN Ic": "SN Ibc",
}
"""From PLAsTiCC's and SNPCC's words to ours."""

_LIMITS = (
    "Trained on simulations of LSST and DES, some moved towards low redshift, and on some hundred"
    " real supernovae of the Open Supernova Catalog; never on ZTF, and on no cataclysmic variable."
    " Probabilities are calibrated on simulated objects that were kept apart."
)


def young(examples: Examples, definition: ClassifierDefinition) -> npt.NDArray[np.bool_]:
    """Examples whose detections span no more than the classifier's days."""
    span = examples.rows[:, definition.features.index("days_5sigma_span")]
    return np.asarray(span <= MAX_DAYS)


RECIPES: dict[str, Recipe] = {
    recipe.definition.name: recipe
    for recipe in (
        Recipe(
            definition=TRANSIENT,
            looks={
                "plasticc": {"whole": 1.0, "lsst_alert": 1.0, "ztf_alert": 1.0, "detections": 1.0},
                "snpcc": {"lsst_alert": 0.3, "ztf_alert": 0.3, "detections": 0.3},
                "osc": {"whole": 4.0, "detections": 1.0, "ztf_alert": 1.0},
                "ztf_bts": {"whole": 1.0, "detections": 1.0},
            },
            class_names=CLASS_NAMES,
            class_exponent=0.6,
            growth={
                "rounds": 120,
                "num_leaves": 12,
                "learning_rate": 0.08,
                "feature_fraction": 0.15,
            },
            knows_unknown=True,
            judged_on=("ztf_bts",),
            limits=_LIMITS,
            prior="between equal classes and the data sets' own numbers (exponent 0.6)",
        ),
        Recipe(
            definition=KILONOVA,
            looks={
                "plasticc": {"lsst_alert": 1.0, "ztf_alert": 1.0, "detections": 1.0},
                "snpcc": {"ztf_alert": 0.3, "lsst_alert": 0.3},
                "osc": {"ztf_alert": 1.0, "detections": 1.0},
            },
            class_names=CLASS_NAMES,
            other="other",
            class_exponent=0.7,
            growth={
                "rounds": 80,
                "num_leaves": 8,
                "learning_rate": 0.05,
                "min_data_in_leaf": 40,
                "lambda_l2": 20.0,
            },
            keep=young,
            limits=_LIMITS + " 102 simulated kilonovae, none real.",
            prior="between equal classes and the data sets' own numbers (exponent 0.7)",
        ),
        Recipe(
            definition=MICROLENSING,
            looks={
                "ogle_simulated": {"whole": 1.0},
                "plasticc": {"whole": 1.0, "lsst_alert": 1.0},
                "ogle_real": {"whole": 1.0},
            },
            class_names={"variable": "other", **CLASS_NAMES},
            other="other",
            class_exponent=1.0,
            growth={"rounds": 150, "num_leaves": 8, "learning_rate": 0.05, "feature_fraction": 0.5},
            judged_on=("ogle_real",),
            limits="Trained on simulations only. Binary lenses and parallax are not in them.",
            prior="half of the light curves are microlensing",
        ),
    )
}
