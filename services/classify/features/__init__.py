"""The registry of features: a literal tuple of families, and one version of all definitions.

To add a feature, add its definition and its row to a family, or a family to ``FAMILIES``; then
count ``VERSION`` up and train the classifiers that use it again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.features.base import FeatureDefinition, FeatureFamily, Features
from services.classify.features.context import CONTEXT
from services.classify.features.early import EARLY, early_features
from services.classify.features.whole import WHOLE, whole_features
from shared.alert_batch import AlertBatch
from shared.light_curves.ragged import RaggedLightCurves
from shared.registry import registry
from shared.schemas.fields import column

VERSION = "2"
"""Travels with every record as ``feature_version``; a test pins it to the definitions."""

FAMILIES: tuple[FeatureFamily, ...] = (EARLY, CONTEXT, WHOLE)

DEFINITIONS: dict[str, FeatureDefinition] = registry(
    definition for family in FAMILIES for definition in family.definitions
)

NAMES: tuple[str, ...] = tuple(DEFINITIONS)

STRUCT = pa.struct(
    [
        column(d.name, pa.float32(), d.definition, unit=d.unit, null="the light curve gives none")
        for family in FAMILIES
        if family.published
        for d in family.definitions
    ]
)
"""The members of the alert's ``features`` column: the families that are published."""

_PUBLISHED_ROWS = [NAMES.index(STRUCT.field(k).name) for k in range(STRUCT.num_fields)]


def compute_features(batch: AlertBatch) -> Features:
    """All features of a batch, in the order of ``NAMES``."""
    values = np.concatenate([family.compute(batch) for family in FAMILIES])
    return Features(NAMES, values)


def features_of(
    curves: RaggedLightCurves,
    galactic_latitude_deg: npt.NDArray[np.float64],
    redshift: npt.NDArray[np.float64],
) -> Features:
    """The same features of bare light curves, for training.

    Parameters
    ----------
    curves
        ``n`` light curves.
    galactic_latitude_deg, redshift
        Shape (n,), NaN where unknown. The redshift is one an observer has: of the host.
    """
    place = np.stack([galactic_latitude_deg, redshift]).astype(np.float32)
    values = np.concatenate([early_features(curves), place, whole_features(curves, redshift)])
    return Features(NAMES, values)


def features_column(features: Features) -> pa.StructArray:
    """Features as an Arrow struct, shape (n,), null where missing."""
    members = [pa.array(row, from_pandas=True) for row in features.values[_PUBLISHED_ROWS]]
    return pa.StructArray.from_arrays(members, fields=list(STRUCT))
