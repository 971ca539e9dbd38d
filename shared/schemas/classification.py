"""What classify adds to an alert: features, and one verdict per classifier.

The members of ``features`` are declared beside the feature code, as the members of
``survey_fields`` are declared beside the survey: an envelope carries its own schema, so nobody
downstream needs to import either. Class taxonomies and the meaning of each probability are the
classifier's; the columns, and what their nulls mean, are here.
"""

from __future__ import annotations

import pyarrow as pa

from shared.schemas.fields import column

FEATURES = "features"
"""Name of the struct that holds the light-curve and context features."""

FEATURE_VERSION = column(
    "feature_version",
    pa.string(),
    "Version of the feature definitions the features and verdicts were made with.",
    null="classify has not run",
)

VERDICT = pa.struct(
    [
        column(
            "probability",
            pa.float32(),
            "Probability in [0, 1] of the classifier's class; its prior is in the model card.",
            null="the classifier abstained; reason says why",
        ),
        column(
            "reason",
            pa.string(),
            "ok, or why the classifier abstained: solar_system, variable_star_match, negative_flux,"
            " too_few_points, too_old.",
        ),
        column(
            "model_version",
            pa.string(),
            "First twelve hexadecimal digits of the SHA-256 of the model's trees.",
        ),
    ]
)
"""One classifier's answer: a probability, or null with a reason; never a made-up number."""

EARLY_SN_IA = column(
    "early_sn_ia",
    VERDICT,
    "Is this young transient a type Ia supernova, judged from its first points.",
    source="the task of Leoni et al. 2022, arXiv:2111.11438",
    null="classify has not run",
)

VERDICTS: tuple[pa.Field, ...] = (EARLY_SN_IA,)
"""One column per classifier, named as the classifier."""


def features_field(members: pa.StructType) -> pa.Field:
    """The ``features`` column of struct ``members``, all float32 and nullable."""
    return column(
        FEATURES,
        members,
        "Features of the light curve as it was at this alert, by name.",
        null="classify has not run; a null member: the light curve does not give it",
    )


def classified(members: pa.StructType) -> tuple[pa.Field, ...]:
    """All columns classify adds, given the members of ``features``."""
    return (features_field(members), FEATURE_VERSION, *VERDICTS)
