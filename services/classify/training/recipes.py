"""The recipes: what each model of the stream is trained on. One entry per model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.classify.classifiers.base import ClassifierDefinition
from services.classify.classifiers.kilonova import KILONOVA, LEAST_DAYS, MAX_DAYS
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
    "Trained on simulations of LSST and DES, some moved towards low redshift and made brighter, on"
    " the Open Supernova Catalog and on the type Ia of ZTF's Bright Transient Survey; on no other"
    " class of ZTF, and on no cataclysmic variable. Real sets weigh as they are, so that in light"
    " curves like theirs five in six supernovae are Ia; simulated ones are between equal classes"
    " and their own numbers. One temperature for all, fitted on objects that were kept apart."
)


_STARS = {
    "RR Lyrae": 6,
    "eclipsing binary": 6,
    "Mira": 6,
    "M-dwarf flare": 8,
    "microlensing": 8,
}
"""Stars are most of what a bright survey alerts on, and few in sets that were made for supernovae:
so many looks are taken at each."""


def young(examples: Examples, definition: ClassifierDefinition) -> npt.NDArray[np.bool_]:
    """Examples whose detections span more than a night, and no more than the classifier's days."""
    span = examples.rows[:, definition.features.index("days_5sigma_span")]
    return np.asarray((span > LEAST_DAYS) & (span <= MAX_DAYS))


RECIPES: dict[str, Recipe] = {
    recipe.definition.name: recipe
    for recipe in (
        Recipe(
            definition=TRANSIENT,
            looks={
                "plasticc": {"whole": 1.0, "lsst_alert": 1.0, "ztf_alert": 1.0, "detections": 1.0},
                "snpcc": {"lsst_alert": 0.1, "ztf_alert": 0.1, "detections": 0.1},
                "osc": {"whole": 5.0, "detections": 4.0, "ztf_alert": 4.0},
                "ztf_bts": {"whole": 0.4, "detections": 0.4, "ztf_alert": 0.4},
                "sdss_rrlyrae": {"lsst_alert": 1.0, "ztf_alert": 2.0, "detections": 0.5},
            },
            class_names=CLASS_NAMES,
            class_exponent=0.0,
            own_exponents={"plasticc": 0.4, "snpcc": 0.4, "osc": 0.2},
            copies={"plasticc": 2, "osc": 4, "ztf_bts": 2, "sdss_rrlyrae": 2},
            rare_copies=_STARS | {"kilonova": 6, "AGN": 6, "TDE": 4},
            growth={
                "rounds": 120,
                "num_leaves": 12,
                "learning_rate": 0.08,
                "feature_fraction": 0.15,
            },
            knows_unknown=True,
            limits=_LIMITS,
            prior="each data set's own numbers to the power of 0.6 (simulated) or 0.8 (OSC)",
        ),
        Recipe(
            definition=KILONOVA,
            looks={
                "plasticc": {"lsst_alert": 5.0, "ztf_alert": 2.5, "detections": 2.5},
                "snpcc": {"ztf_alert": 0.1, "lsst_alert": 0.1},
                "osc": {"ztf_alert": 2.0, "detections": 2.0},
                "ztf_bts": {"ztf_alert": 0.5},
                "sdss_rrlyrae": {"ztf_alert": 4.0},
                "fast_simulated": {"ztf_alert": 2.0, "detections": 1.2},
                "stars_simulated": {"ztf_alert": 20.0, "detections": 4.0},
            },
            class_names=CLASS_NAMES,
            other="other",
            class_exponent=0.0,
            copies={
                "plasticc": 2,
                "osc": 2,
                "sdss_rrlyrae": 2,
                "fast_simulated": 4,
                "stars_simulated": 2,
            },
            rare_copies={"kilonova": 6},
            growth={
                "rounds": 300,
                "num_leaves": 12,
                "learning_rate": 0.05,
                "feature_fraction": 0.2,
                "min_data_in_leaf": 40,
                "lambda_l2": 10.0,
            },
            keep=young,
            limits=_LIMITS + " No real kilonova: 102 are PLAsTiCC's, 600 made after Villar et al."
            " 2017. Beside them made-up dwarf novae, cooling shocks and variable stars.",
            prior="kilonovae weigh 3.6 % of all examples",
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
