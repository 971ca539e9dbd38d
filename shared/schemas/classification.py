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

_PROBABILITY = column(
    "probability",
    pa.float32(),
    "Probability in [0, 1] of the classifier's class; its prior is in the model card.",
    null="the classifier abstained; reason says why",
)
_REASON = column(
    "reason",
    pa.string(),
    "ok, or why the classifier abstained: solar_system, variable_star_match, negative_flux,"
    " too_few_points, too_old, not_significant, not_scored.",
)
_MODEL_VERSION = column(
    "model_version",
    pa.string(),
    "First twelve hexadecimal digits of the SHA-256 of the model's arrays, or the rule's version.",
)

VERDICT = pa.struct([_PROBABILITY, _REASON, _MODEL_VERSION])
"""One classifier's answer: a probability, or null with a reason; never a made-up number."""

_ABSTAINED = "the classifier abstained; reason says why"

TRANSIENT_CLASSES: tuple[tuple[str, str], ...] = (
    ("sn_ia", "SN Ia"),
    ("sn_ia_91bg", "SN Ia-91bg"),
    ("sn_iax", "SN Iax"),
    ("sn_ii", "SN II"),
    ("sn_ibc", "SN Ibc"),
    ("slsn", "SLSN"),
    ("tde", "TDE"),
    ("kilonova", "kilonova"),
    ("agn", "AGN"),
    ("microlensing", "microlensing"),
    ("m_dwarf_flare", "M-dwarf flare"),
    ("mira", "Mira"),
    ("eclipsing_binary", "eclipsing binary"),
    ("rr_lyrae", "RR Lyrae"),
)
"""Member of ``transient.probabilities``, and the name ``transient.class`` bears."""


def _classifier(
    name: str, meaning: str, *members: pa.Field, source: str = "", first: pa.StructType = VERDICT
) -> pa.Field:
    """The column of one classifier: a verdict and what else it says."""
    struct = pa.struct([*(first.field(k) for k in range(first.num_fields)), *members])
    return column(name, struct, meaning, source=source, null="classify has not run")


EARLY_SN_IA = _classifier(
    "early_sn_ia",
    "Is this young transient a type Ia supernova, judged from its first points.",
    source="the task of Leoni et al. 2022, arXiv:2111.11438",
)
TRANSIENT = _classifier(
    "transient",
    "What is this, among fourteen classes, and does it belong to any: probability is class's.",
    column("class", pa.string(), "Most probable class.", null=_ABSTAINED),
    column(
        "p_unknown",
        pa.float32(),
        "Probability in [0, 1] that it belongs to none of the classes, from the light curve alone.",
        null=_ABSTAINED,
    ),
    column(
        "probabilities",
        pa.struct(
            [
                column(member, pa.float32(), f"Probability of {name}.", null=_ABSTAINED)
                for member, name in TRANSIENT_CLASSES
            ]
        ),
        "Probability of every class; they sum to one. Where a VSX or GCVS star lies within 2"
        " arcsec, those of supernovae, TDE and kilonovae have been multiplied by 1e-4 and all"
        " scaled to one again.",
        null=_ABSTAINED,
    ),
    source="classes of PLAsTiCC, arXiv:1903.11756",
)
KILONOVA = _classifier(
    "kilonova", "Is this a kilonova, judged from its first thirty days: fading fast, reddening."
)
MICROLENSING = _classifier(
    "microlensing",
    "Is this a point lens magnifying a point source, from a fit of Paczyński's curve.",
    column("t0_mjd_tai", pa.float64(), "Time of closest approach.", unit="d", null=_ABSTAINED),
    column("einstein_days", pa.float32(), "Einstein crossing time tE.", unit="d", null=_ABSTAINED),
    column("u0", pa.float32(), "Least impact parameter, Einstein radii.", null=_ABSTAINED),
    source="Paczyński 1986, ApJ 304, 1",
)
_NO_RATE = "fewer than two detections over half a day in one band on that side of the peak"
RATE = column(
    "rate",
    pa.struct(
        [
            column(
                f"{side}_{kind}mag_per_day",
                pa.float32(),
                f"{words} of the {side}, all bands together, {when}.",
                unit="mag / d",
                null=_NO_RATE,
            )
            for side, when in (
                ("rise", "up to the brightest detection; negative brightens"),
                ("fade", "from the brightest detection on; positive fades"),
            )
            for kind, words in (("", "Slope"), ("error_", "One-sigma error of the slope"))
        ]
    ),
    "How fast it rises and fades, from the detections of the last thirty days.",
    null="classify has not run",
)
REAL_BOGUS = _classifier(
    "real_bogus",
    "Is this real and no artefact: the survey's own score, unless a cutout model is plugged in.",
)
ANOMALY = column(
    "anomaly",
    pa.struct(
        [
            column(
                "percentile",
                pa.float32(),
                "Share in [0, 100] of the last thirty days' alerts that are less anomalous.",
                null=_ABSTAINED,
            ),
            column(
                "score",
                pa.float32(),
                "Isolation-forest score in [0, 1]; about 0.5 is ordinary.",
                source="Liu, Ting & Zhou 2008, ICDM 413",
                null=_ABSTAINED,
            ),
            column(
                "features",
                pa.list_(pa.string()),
                "The five features that isolate it most, the first most.",
                null=_ABSTAINED,
            ),
            _REASON,
            _MODEL_VERSION,
        ]
    ),
    "How unlike the other alerts it is.",
    null="classify has not run",
)

VERDICTS: tuple[pa.Field, ...] = (
    EARLY_SN_IA,
    TRANSIENT,
    KILONOVA,
    MICROLENSING,
    RATE,
    REAL_BOGUS,
    ANOMALY,
)
"""One column per classifier, named as the classifier."""

OF_TRANSIENTS: tuple[pa.Field, ...] = (EARLY_SN_IA, KILONOVA, MICROLENSING)
"""Those whose probability is of being a transient worth a look."""


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
