"""The verb: a batch of alerts in, the same batch with features and verdicts out."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from services.classify.classifiers.base import Classifier
from services.classify.features import STRUCT, VERSION, compute_features, features_column
from shared.alert_batch import AlertBatch
from shared.schemas.classification import FEATURE_VERSION, VERDICTS, features_field


def classify(batch: AlertBatch, classifiers: Sequence[Classifier]) -> AlertBatch:
    """Add ``features``, ``feature_version`` and one column per classifier.

    Parameters
    ----------
    batch
        Alerts as ingest wrote them; ``matches`` is used if xmatch has run.
    classifiers
        One for each column of ``shared.schemas.classification.VERDICTS``.

    Returns
    -------
    AlertBatch
        Null members of ``features`` are what a light curve does not give; a null probability
        has its reason beside it.
    """
    features = compute_features(batch)
    by_name = {classifier.name: classifier for classifier in classifiers}
    columns: dict[pa.Field, pa.Array] = {
        features_field(STRUCT): features_column(features),
        FEATURE_VERSION: pa.repeat(pa.scalar(VERSION), len(batch)),
    }
    for field in VERDICTS:
        columns[field] = by_name[field.name].verdicts(batch, features)
    return batch.with_columns(columns)
