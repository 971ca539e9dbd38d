"""Is this a kilonova? Judged from the first thirty days, while it still can be followed.

``probability`` is that of a kilonova against everything else (supernovae, TDE, AGN, flares,
microlensing, variable stars) with the classes weighing the same; kilonovae are far rarer than
that. Where the odds of a kilonova are r to 1, multiply the odds by r. mma joins it with
gravitational waves.
"""

from __future__ import annotations

from services.classify.classifiers.base import Abstention, ClassifierDefinition
from services.classify.classifiers.matched_variables import has_variable_star
from services.classify.classifiers.survey_features import OF_OBJECTS
from services.classify.features.base import Features
from shared.alert_batch import AlertBatch
from shared.schemas.classification import KILONOVA as FIELD

MIN_DETECTIONS = 2
MAX_DAYS = 30.0


def abstentions(batch: AlertBatch, features: Features) -> list[Abstention]:
    """Grounds not to answer, gravest first."""
    return [
        Abstention("solar_system", batch.integers("is_solar_system") == 1),
        Abstention("variable_star_match", has_variable_star(batch)),
        Abstention("too_few_points", features.of("n_detections") < MIN_DETECTIONS),
        Abstention("too_old", features.of("days_5sigma_span") > MAX_DAYS),
    ]


KILONOVA = ClassifierDefinition(
    field=FIELD,
    taxonomy=("kilonova", "other"),
    features=OF_OBJECTS,
    abstentions=abstentions,
)
