"""Is this a kilonova? Judged from the first thirty days, while it still can be followed.

Three detections on two nights are needed: within one night nothing has faded yet, and every
flickering star looks the same. ``probability`` is that of a kilonova against everything else
(supernovae, TDE, AGN, flares, dwarf novae, microlensing, variable stars) if one alert in 28 were
one; kilonovae are far rarer than that: where their odds are r to 1, multiply the odds by 27 r. mma
joins it with gravitational waves.
"""

from __future__ import annotations

from services.classify.classifiers.base import Abstention, ClassifierDefinition
from services.classify.classifiers.matched_variables import has_variable_star
from services.classify.classifiers.survey_features import OF_OBJECTS
from services.classify.features.base import Features
from shared.alert_batch import AlertBatch
from shared.schemas.classification import KILONOVA as FIELD

MIN_DETECTIONS = 3
MIN_NIGHTS = 2
LEAST_DAYS, MAX_DAYS = 0.5, 30.0
"""Between the first and the last detection."""


def abstentions(batch: AlertBatch, features: Features) -> list[Abstention]:
    """Grounds not to answer, gravest first."""
    return [
        Abstention("solar_system", batch.integers("is_solar_system") == 1),
        Abstention("variable_star_match", has_variable_star(batch)),
        Abstention(
            "too_few_points",
            (features.of("n_detections") < MIN_DETECTIONS) | (features.of("n_nights") < MIN_NIGHTS),
        ),
        Abstention("too_old", features.of("days_5sigma_span") > MAX_DAYS),
    ]


KILONOVA = ClassifierDefinition(
    field=FIELD,
    taxonomy=("kilonova", "other"),
    features=OF_OBJECTS,
    abstentions=abstentions,
)
