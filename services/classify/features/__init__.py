"""The registry of features: a literal tuple of families, and one version of all definitions.

To add a feature, add its definition and its row to a family, or a family to ``FAMILIES``; then
count ``VERSION`` up and train the classifiers that use it again.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from services.classify.features.base import FeatureDefinition, FeatureFamily, Features
from services.classify.features.context import CONTEXT
from services.classify.features.early import EARLY
from shared.alert_batch import AlertBatch
from shared.registry import registry
from shared.schemas.fields import column

VERSION = "1"
"""Travels with every record as ``feature_version``; a test pins it to the definitions."""

FAMILIES: tuple[FeatureFamily, ...] = (EARLY, CONTEXT)

DEFINITIONS: dict[str, FeatureDefinition] = registry(
    definition for family in FAMILIES for definition in family.definitions
)

NAMES: tuple[str, ...] = tuple(DEFINITIONS)

STRUCT = pa.struct(
    [
        column(d.name, pa.float32(), d.definition, unit=d.unit, null="the light curve gives none")
        for d in DEFINITIONS.values()
    ]
)
"""The members of the alert's ``features`` column."""


def compute_features(batch: AlertBatch) -> Features:
    """All features of a batch, in the order of ``NAMES``."""
    values = np.concatenate([family.compute(batch) for family in FAMILIES])
    return Features(NAMES, values)


def features_column(features: Features) -> pa.StructArray:
    """Features as an Arrow struct, shape (n,), null where missing."""
    members = [pa.array(row, from_pandas=True) for row in features.values]
    return pa.StructArray.from_arrays(members, fields=list(STRUCT))
