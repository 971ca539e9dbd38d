"""The contract of a classifier: features and the alert's own columns in, verdicts out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.boosted_trees import TrainedModel
from services.classify.features.base import Features
from shared.alert_batch import AlertBatch
from shared.schemas.classification import VERDICT

REASONS = (
    "ok",
    "solar_system",
    "variable_star_match",
    "negative_flux",
    "too_few_points",
    "too_old",
)
"""Why a probability is there, or is not. Grows at the end only."""


_REASONS = pa.array(REASONS, pa.string())


@dataclass(frozen=True, slots=True)
class Abstention:
    """One ground on which a classifier does not answer."""

    reason: str
    """One of ``REASONS``."""
    applies: npt.NDArray[np.bool_]
    """Shape (n,)."""


@dataclass(frozen=True, slots=True)
class ClassifierDefinition:
    """A classifier, without its model."""

    name: str
    """Name of its column, and of its model's folder."""
    taxonomy: tuple[str, ...]
    """The classes it tells apart, the one ``probability`` is of first."""
    features: tuple[str, ...]
    """Features its model is trained on, in order."""
    abstentions: Callable[[AlertBatch, Features], list[Abstention]]
    """Grounds not to answer, the first that applies is given as the reason."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classifier ready to answer."""

    definition: ClassifierDefinition
    model: TrainedModel

    def verdicts(self, batch: AlertBatch, features: Features) -> pa.StructArray:
        """One ``shared.schemas.classification.VERDICT`` per alert."""
        reason = np.zeros(len(batch), dtype=np.int8)
        for abstention in reversed(self.definition.abstentions(batch, features)):
            reason[abstention.applies] = REASONS.index(abstention.reason)
        answered = reason == REASONS.index("ok")
        order = [features.names.index(name) for name in self.model.features]
        rows = np.ascontiguousarray(features.values[order][:, answered].T)
        probability = np.full(len(batch), np.nan, dtype=np.float32)
        probability[answered] = self.model.trees.probability(rows)
        return pa.StructArray.from_arrays(
            [
                pa.array(probability, from_pandas=True),
                pa.DictionaryArray.from_arrays(reason, _REASONS).dictionary_decode(),
                pa.repeat(pa.scalar(self.model.version), len(batch)),
            ],
            fields=list(VERDICT),
        )

    def warm_up(self) -> None:
        """Compile what an answer needs, so that the first envelope does not wait for it."""
        self.model.trees.probability(np.zeros((1, len(self.model.features)), dtype=np.float32))


def model_folder(models: Path, name: str) -> Path:
    """Where the model of classifier ``name`` is."""
    return models / name
