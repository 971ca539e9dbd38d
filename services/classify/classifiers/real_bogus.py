"""Is this real? The survey's own score, or that of a cutout model if one is plugged in.

Cutouts do not travel in the river, so no cutout model ships with Tocsin. One that has them at
hand is a function from a batch to scores: ``RealBogus(score, version)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.classifiers.base import Abstention, Reasons, struct_of
from services.classify.features.base import Features
from shared.alert_batch import AlertBatch
from shared.schemas.classification import REAL_BOGUS as FIELD

Score = Callable[[AlertBatch], npt.NDArray[np.float64]]


def survey_score(batch: AlertBatch) -> npt.NDArray[np.float64]:
    """The survey's reliability in [0, 1], shape (n,), NaN where it gave none."""
    return batch.floats("reliability")


class RealBogus:
    """The ``real_bogus`` column."""

    name = "real_bogus"

    def __init__(self, score: Score = survey_score, version: str = "survey") -> None:
        self._score = score
        self._version = version

    def verdicts(self, batch: AlertBatch, features: Features) -> pa.StructArray:
        """The score of every alert."""
        del features
        score = self._score(batch)
        reasons = Reasons.first_of(len(batch), [Abstention("not_scored", np.isnan(score))])
        return struct_of(
            FIELD,
            {
                "probability": reasons.spread(score[reasons.answered], pa.float32()),
                "reason": reasons.column(),
                "model_version": pa.repeat(pa.scalar(self._version), len(batch)),
            },
        )

    def warm_up(self) -> None:
        """Nothing to compile."""
