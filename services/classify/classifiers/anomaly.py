"""How unlike the other alerts an alert is, and by what.

The percentile is among the alerts of the last thirty days that this worker saw (by the alerts'
own times), or among the model's training alerts until there are ``ENOUGH``. The scores it is
ranked among are those of the batches before: an alert does not rank itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.classify.classifiers.base import Abstention, Reasons, rows_by_name, struct_of
from services.classify.features.base import Features
from services.classify.isolation import IsolationForest
from services.classify.model import TrainedModel
from shared.alert_batch import AlertBatch
from shared.schemas.classification import ANOMALY as FIELD

BINS = 2_000
DAYS = 30
ENOUGH = 1_000
EXPLAINING = 5
MIN_DETECTIONS = 3

FEATURES: tuple[str, ...] = (
    "n_negative_detections",
    "days_since_first_detection",
    "n_contradicting_limits",
    "snr_max",
    *(
        name.format(b=b)
        for b in ("g", "r")
        for name in (
            "last_over_max_{b}",
            "first_over_max_{b}",
            "slope_{b}_per_day",
            "recent_slope_{b}_per_day",
            "chi2_line_{b}",
            "chi2_mean_{b}",
            "skew_{b}",
            "eta_{b}",
            "log_chi2_mean_{b}",
            "equivalent_width_{b}",
            "second_over_first_{b}",
            "rise_{b}_mag_per_day",
            "fade_{b}_mag_per_day",
        )
    ),
    "colour_gr_max_mag",
    "colour_gr_slope_mag_per_day",
    "snr_concentration",
    "days_5sigma_span",
)
"""What the forest is grown on: shapes and colours of a month of g and r."""


class RecentScores:
    """Counts of scores, night by night, of the last ``DAYS`` nights."""

    def __init__(self, reference: npt.NDArray[np.float64]) -> None:
        self._reference = np.asarray(reference, dtype=np.float64)
        self._nights: dict[int, npt.NDArray[np.float64]] = {}

    def percentile(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Share in [0, 100] of the remembered scores below each score."""
        counts = sum(self._nights.values(), np.zeros(BINS))
        if counts.sum() < ENOUGH:
            counts = self._reference
        below = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
        return np.asarray(100.0 * np.interp(scores, np.linspace(0.0, 1.0, BINS + 1), below))

    def add(self, scores: npt.NDArray[np.float64], mjd: npt.NDArray[np.float64]) -> None:
        """Remember scores of alerts taken at ``mjd``, shape (n,) each; forget old nights."""
        nights = np.floor(mjd).astype(np.int64)
        slots = np.clip((scores * BINS).astype(np.int64), 0, BINS - 1)
        for night in np.unique(nights).tolist():
            counts = np.bincount(slots[nights == night], minlength=BINS).astype(np.float64)
            self._nights[night] = self._nights.get(night, np.zeros(BINS)) + counts
        newest = max(self._nights, default=0)
        self._nights = {n: c for n, c in self._nights.items() if n > newest - DAYS}


class Anomaly:
    """The ``anomaly`` column."""

    name = "anomaly"

    def __init__(self, model: TrainedModel) -> None:
        self._model = model
        self._forest = IsolationForest.from_arrays(model.arrays)
        if len(self._forest.median) != len(model.features):
            raise ValueError(f"anomaly model {model.version}: card and arrays disagree")
        self.recent = RecentScores(self._forest.reference)
        self._names = np.array(model.features)

    def verdicts(self, batch: AlertBatch, features: Features) -> pa.StructArray:
        """Score, percentile and explaining features of every alert."""
        reasons = Reasons.first_of(
            len(batch),
            [
                Abstention("solar_system", batch.integers("is_solar_system") == 1),
                Abstention("too_few_points", features.of("n_detections") < MIN_DETECTIONS),
            ],
        )
        answered = reasons.answered
        rows = rows_by_name(batch, features, self._model.features, answered)
        scores, credit = self._forest.scores(rows)
        percentile = self.recent.percentile(scores)
        self.recent.add(scores, batch.floats("mjd_tai")[answered])
        credit[np.isnan(rows)] = -np.inf  # what is missing explains nothing
        best = np.argsort(-credit, axis=1, kind="stable")[:, :EXPLAINING]
        return struct_of(
            FIELD,
            {
                "percentile": reasons.spread(percentile, pa.float32()),
                "score": reasons.spread(scores, pa.float32()),
                "features": self._explained(best, answered),
                "reason": reasons.column(),
                "model_version": pa.repeat(pa.scalar(self._model.version), len(batch)),
            },
        )

    def _explained(
        self, best: npt.NDArray[np.int64], answered: npt.NDArray[np.bool_]
    ) -> pa.ListArray:
        """Names of the explaining features, null where nothing was answered."""
        offsets = np.concatenate([[0], np.cumsum(answered * EXPLAINING)]).astype(np.int32)
        names = pa.DictionaryArray.from_arrays(
            pa.array(best.ravel().astype(np.int16)), pa.array(self._names.tolist(), pa.string())
        ).dictionary_decode()
        return pa.ListArray.from_arrays(pa.array(offsets), names, mask=pa.array(~answered))

    def warm_up(self) -> None:
        """Compile the walk."""
        self._forest.scores(np.zeros((1, len(self._model.features)), dtype=np.float32))
