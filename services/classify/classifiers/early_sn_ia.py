"""Is this young transient a type Ia supernova? The task of Leoni et al. 2022 (arXiv:2111.11438).

Judged from the last 30 days of g, r and i fluxes, while the newest detection is at most 25 days
after the first. Three positive detections are needed, two of them on different nights. Numbers of
points tell surveys apart rather than objects and are left out, and so is chi-squared: of a bright
nearby supernova it is a hundred times that of the faint ones most examples are made of, and says
nothing but that (SN 2021rhu fell from 0.8 to 0.3 by it).

``probability`` is that of a normal Ia against everything else (other supernovae, 91bg-likes and
Iax, TDE, AGN, kilonovae, microlensing, variable and flaring stars) if half of the alerts were
Ia; see ``prior`` and the measured calibration in the model card.
"""

from __future__ import annotations

from services.classify.classifiers.base import Abstention, ClassifierDefinition
from services.classify.classifiers.matched_variables import has_variable_star
from services.classify.features.base import Features
from services.classify.features.early import DEFINITIONS
from shared.alert_batch import AlertBatch
from shared.schemas.classification import EARLY_SN_IA as FIELD

MIN_DETECTIONS = 3
MIN_NIGHTS = 2
MAX_DAYS = 25.0
"""Days since the first detection in the history, beyond which a transient is not young."""

_OF_THE_SURVEY = ("chi2_", "n_detections", "n_nights")


def abstentions(batch: AlertBatch, features: Features) -> list[Abstention]:
    """Grounds not to answer, gravest first."""
    positive = features.of("n_detections") - features.of("n_negative_detections")
    return [
        Abstention("solar_system", batch.integers("is_solar_system") == 1),
        Abstention("variable_star_match", has_variable_star(batch)),
        Abstention("negative_flux", batch.floats("flux_njy") < 0.0),
        Abstention(
            "too_few_points", (positive < MIN_DETECTIONS) | (features.of("n_nights") < MIN_NIGHTS)
        ),
        Abstention("too_old", features.of("days_since_first_detection") > MAX_DAYS),
    ]


EARLY_SN_IA = ClassifierDefinition(
    field=FIELD,
    taxonomy=("SN Ia", "other"),
    features=tuple(d.name for d in DEFINITIONS if not d.name.startswith(_OF_THE_SURVEY)),
    abstentions=abstentions,
)
