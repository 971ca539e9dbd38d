"""What is this? Fourteen classes of transients and variables, and whether it is none of them.

The classes are PLAsTiCC's (arXiv:1903.11756). They are leaves of a hierarchy; the probability of a
branch is the sum over its leaves. A solar-system body and an artefact are no leaves: the
classifier abstains for the first, and ``real_bogus`` speaks about the second.

On a catalogued variable star supernovae, TDE and kilonovae are far less probable than
the light curve alone says: see ``EXPLOSION_PRIOR_ON_VARIABLE_STAR``.
``p_unknown`` is of the light curve alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.classifiers.base import Abstention, Answer, BoolArray, ClassifierDefinition
from services.classify.classifiers.matched_variables import has_variable_star
from services.classify.classifiers.survey_features import WITHOUT_PLACE
from services.classify.features.base import Features
from shared.alert_batch import AlertBatch
from shared.schemas.classification import TRANSIENT as FIELD
from shared.schemas.classification import TRANSIENT_CLASSES

MIN_DETECTIONS = 3

TAXONOMY = tuple(name for _, name in TRANSIENT_CLASSES)

HIERARCHY: dict[str, tuple[str, ...]] = {
    "transient": (
        "SN Ia",
        "SN Ia-91bg",
        "SN Iax",
        "SN II",
        "SN Ibc",
        "SLSN",
        "TDE",
        "kilonova",
        "microlensing",
        "M-dwarf flare",
    ),
    "stochastic": ("AGN",),
    "periodic": ("Mira", "eclipsing binary", "RR Lyrae"),
}
"""Branches and their leaves."""

TNS_TYPE: dict[str, str] = {
    "SN Ia": "SN Ia",
    "SN Ia-91bg": "SN Ia-91bg-like",
    "SN Iax": "SN Iax[02cx-like]",
    "SN II": "SN II",
    "SN Ibc": "SN Ib/c",
    "SLSN": "SLSN-I",
    "TDE": "TDE",
    "kilonova": "Kilonova",
    "AGN": "AGN",
    "microlensing": "Varstar",
    "M-dwarf flare": "M dwarf",
    "Mira": "Varstar",
    "eclipsing binary": "Varstar",
    "RR Lyrae": "Varstar",
}
"""The Transient Name Server's object type."""

BROAD_CLASS: dict[str, str] = {
    **dict.fromkeys(("SN Ia", "SN Ia-91bg", "SN Iax", "SN II", "SN Ibc"), "SN-like"),
    **dict.fromkeys(("SLSN", "TDE"), "Long"),
    **dict.fromkeys(("kilonova", "microlensing", "M-dwarf flare"), "Fast"),
    "AGN": "Non-Recurring, variable",
    **dict.fromkeys(("Mira", "eclipsing binary", "RR Lyrae"), "Periodic"),
}
"""The broad classes of the brokers' challenge (ELAsTiCC)."""

EXPLOSIONS = ("SN Ia", "SN Ia-91bg", "SN Iax", "SN II", "SN Ibc", "SLSN", "TDE", "kilonova")
"""Classes that do not happen to a catalogued variable star."""

EXPLOSION_PRIOR_ON_VARIABLE_STAR = 1e-4
"""How much rarer a match with a variable star is for an explosion than for a varying star.

VSX has 1.9 million stars, 47 in a square degree: an explosion has one within 2 arcsec by chance in
5e-5 of cases over the whole sky. Of the varying stars of a bright survey about half are in VSX.
The ratio is 1e-4.
"""


def branch_probabilities(
    probabilities: npt.NDArray[np.float64],
) -> dict[str, npt.NDArray[np.float64]]:
    """Probability of each branch, shape (n,), from those of the leaves, shape (n, classes)."""
    return {
        branch: probabilities[:, [TAXONOMY.index(leaf) for leaf in leaves]].sum(axis=1)
        for branch, leaves in HIERARCHY.items()
    }


def abstentions(batch: AlertBatch, features: Features) -> list[Abstention]:
    """Grounds not to answer, gravest first."""
    few = features.of("n_detections") < MIN_DETECTIONS
    few &= ~(features.of("whole_n_5sigma") >= MIN_DETECTIONS)
    return [
        Abstention("solar_system", batch.integers("is_solar_system") == 1),
        Abstention("too_few_points", few),
    ]


def less_explosive_on_variable_stars(
    batch: AlertBatch, answered: BoolArray, probabilities: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Probabilities with the prior of a match, summing to one; unchanged where there is none.

    Parameters
    ----------
    batch
        Alerts, with ``matches`` if xmatch has run.
    answered
        Shape (n,), which of them ``probabilities`` are of.
    probabilities
        Shape (k, classes), of the light curves alone.
    """
    on_star = has_variable_star(batch)[answered]
    if not on_star.any():
        return probabilities
    weight = np.where(np.isin(TAXONOMY, EXPLOSIONS), EXPLOSION_PRIOR_ON_VARIABLE_STAR, 1.0)
    weighed = probabilities[on_star] * weight
    joined = probabilities.copy()
    joined[on_star] = weighed / weighed.sum(axis=1, keepdims=True)
    return joined


def greatest(answer: Answer) -> npt.NDArray[np.float64]:
    """Probability of the most probable class."""
    return np.asarray(answer.probabilities.max(axis=1, initial=0.0), dtype=np.float64)


def more(answer: Answer) -> Mapping[str, pa.Array]:
    """Class, p_unknown and all probabilities."""
    reasons = answer.reasons
    if answer.model.unknown is None:
        raise ValueError("the model of transient has no p_unknown; train it again")
    unknown = answer.model.unknown.probability(answer.rows, answer.of_light_curve)
    best = np.zeros(len(reasons.codes), dtype=np.int8)
    best[reasons.answered] = answer.probabilities.argmax(axis=1)
    names = pa.DictionaryArray.from_arrays(
        pa.array(best, mask=~reasons.answered), pa.array(TAXONOMY)
    ).dictionary_decode()
    struct = FIELD.type.field("probabilities").type
    members = [
        reasons.spread(answer.probabilities[:, k], pa.float32()) for k in range(len(TAXONOMY))
    ]
    return {
        "class": names,
        "p_unknown": reasons.spread(unknown, pa.float32()),
        "probabilities": pa.StructArray.from_arrays(
            members, fields=list(struct), mask=pa.array(~reasons.answered)
        ),
    }


TRANSIENT = ClassifierDefinition(
    field=FIELD,
    taxonomy=TAXONOMY,
    features=WITHOUT_PLACE,
    abstentions=abstentions,
    prior=less_explosive_on_variable_stars,
    probability=greatest,
    more=more,
)
