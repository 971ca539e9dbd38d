"""The contract of a classifier: features and the alert's own columns in, one column out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.features.base import Features
from services.classify.model import TrainedModel
from shared.alert_batch import AlertBatch

BoolArray = npt.NDArray[np.bool_]

REASONS = (
    "ok",
    "solar_system",
    "variable_star_match",
    "negative_flux",
    "too_few_points",
    "too_old",
    "not_significant",
    "not_scored",
)
"""Why an answer is there, or is not. Grows at the end only."""

_REASONS = pa.array(REASONS, pa.string())
_OK = REASONS.index("ok")


@dataclass(frozen=True, slots=True)
class Abstention:
    """One ground on which a classifier does not answer."""

    reason: str
    """One of ``REASONS``."""
    applies: BoolArray
    """Shape (n,)."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """For each alert of a batch, whether it is answered and why not."""

    codes: npt.NDArray[np.int8]
    """Shape (n,), index into ``REASONS``."""

    @staticmethod
    def first_of(alerts: int, abstentions: Sequence[Abstention]) -> Reasons:
        """The first ground that applies, else ok."""
        codes = np.zeros(alerts, dtype=np.int8)
        for abstention in reversed(abstentions):
            codes[abstention.applies] = REASONS.index(abstention.reason)
        return Reasons(codes)

    @property
    def answered(self) -> BoolArray:
        """Shape (n,)."""
        return np.asarray(self.codes == _OK)

    def column(self) -> pa.Array:
        """The reasons as text."""
        return pa.DictionaryArray.from_arrays(self.codes, _REASONS).dictionary_decode()

    def spread(self, values: npt.NDArray[Any], type_: pa.DataType) -> pa.Array:
        """Values of the answered alerts as a column of all alerts, null for the others."""
        everyone = np.full(len(self.codes), np.nan, dtype=np.float64)
        everyone[self.answered] = values
        return pa.array(everyone, type_, from_pandas=True)


class Classifier(Protocol):
    """What the stream needs of a classifier."""

    @property
    def name(self) -> str:
        """Name of its column."""
        ...

    def verdicts(self, batch: AlertBatch, features: Features) -> pa.StructArray:
        """One struct per alert, the type of its column."""
        ...

    def warm_up(self) -> None:
        """Compile what an answer needs, so that the first envelope does not wait for it."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of the alerts that are answered."""

    batch: AlertBatch
    reasons: Reasons
    rows: npt.NDArray[np.float32]
    """Shape (k, features)."""
    probabilities: npt.NDArray[np.float64]
    """Shape (k, classes), with what is known besides the light curve."""
    of_light_curve: npt.NDArray[np.float64]
    """Shape (k, classes), as the model has them."""
    model: TrainedModel


def rows_by_name(
    batch: AlertBatch, features: Features, names: Sequence[str], answered: BoolArray
) -> npt.NDArray[np.float32]:
    """The named features of the answered alerts, shape (k, len(names))."""
    del batch
    order = [features.names.index(name) for name in names]
    return np.ascontiguousarray(features.values[order][:, answered].T)


RowMaker = Callable[[AlertBatch, Features, Sequence[str], BoolArray], npt.NDArray[np.float32]]


def light_curve_alone(
    batch: AlertBatch, answered: BoolArray, probabilities: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The model's probabilities as they are."""
    del batch, answered
    return probabilities


Prior = Callable[[AlertBatch, BoolArray, npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""Probabilities, shape (k, classes), after what the alert's matches say of its classes."""


def probability_of_first(answer: Answer) -> npt.NDArray[np.float64]:
    """Probability of the class named first in the taxonomy."""
    return answer.probabilities[:, 0]


def nothing_more(answer: Answer) -> Mapping[str, pa.Array]:
    """No members beyond the verdict's own."""
    del answer
    return {}


@dataclass(frozen=True, slots=True)
class ClassifierDefinition:
    """A classifier that asks a trained model, without the model."""

    field: pa.Field
    """Its column; the name is the classifier's, and that of its models' folder."""
    taxonomy: tuple[str, ...]
    """The classes it tells apart, the one ``probability`` is of first."""
    features: tuple[str, ...]
    """Features its model is trained on, in order."""
    abstentions: Callable[[AlertBatch, Features], list[Abstention]]
    """Grounds not to answer; the first that applies is given as the reason."""
    rows: RowMaker = rows_by_name
    """Makes the model's input; features that are costly are made here, for few."""
    prior: Prior = light_curve_alone
    """Brings in what is known of the alert besides its light curve."""
    probability: Callable[[Answer], npt.NDArray[np.float64]] = probability_of_first
    more: Callable[[Answer], Mapping[str, pa.Array]] = nothing_more
    """Members beyond probability, reason and model_version, each of all alerts."""

    @property
    def name(self) -> str:
        """The registry key."""
        return str(self.field.name)


@dataclass(frozen=True, slots=True)
class ModelClassifier:
    """A classifier with its model."""

    definition: ClassifierDefinition
    model: TrainedModel

    @property
    def name(self) -> str:
        """Name of its column."""
        return self.definition.name

    def answer(self, batch: AlertBatch, features: Features) -> Answer:
        """What the model says, before it is written down."""
        reasons = Reasons.first_of(len(batch), self.definition.abstentions(batch, features))
        rows = self.definition.rows(batch, features, self.model.features, reasons.answered)
        alone = self.model.probabilities(rows)
        joined = self.definition.prior(batch, reasons.answered, alone)
        return Answer(batch, reasons, rows, joined, alone, self.model)

    def verdicts(self, batch: AlertBatch, features: Features) -> pa.StructArray:
        """One struct of the definition's column per alert."""
        answer = self.answer(batch, features)
        own = {
            "probability": answer.reasons.spread(self.definition.probability(answer), pa.float32()),
            "reason": answer.reasons.column(),
            "model_version": pa.repeat(pa.scalar(self.model.version), len(batch)),
            **self.definition.more(answer),
        }
        return struct_of(self.definition.field, own)

    def warm_up(self) -> None:
        """Compile the loops over trees and neighbours."""
        rows = np.zeros((1, len(self.model.features)), dtype=np.float32)
        probabilities = self.model.probabilities(rows)
        if self.model.unknown is not None:
            self.model.unknown.probability(rows, probabilities)


def struct_of(field: pa.Field, members: Mapping[str, pa.Array]) -> pa.StructArray:
    """Members in the order of the column's declaration."""
    declared = list(field.type)
    return pa.StructArray.from_arrays([members[one.name] for one in declared], fields=declared)
