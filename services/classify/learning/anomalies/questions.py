"""A session of questions, simulated, to count how many rare objects a user finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classify.features import NAMES
from services.classify.learning.anomalies.forest import Floats, SharedForest
from services.classify.learning.models.base import Rows
from services.classify.learning.streams.base import HOST_FEATURES, LEAST_PRESENT, light_curve_rows
from services.classify.training.datasets.base import LabelledLightCurves

_LEFT_OUT = ("shape_", "contrast_", "n_", "whole_n", "flux_max", "chi2_line", "limit_", "first_")
"""How the names of features begin that tell how often and how deep a field is observed, or repeat
the shape many times over: cuts on them isolate the survey's ways, not the sky's."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a user found."""

    found: npt.NDArray[np.int64]
    """Shape (questions,): rare objects among the answers so far."""
    static: npt.NDArray[np.int64]
    """The same down the list of a forest that nobody taught."""
    scores: Floats
    """Of every object, after the last answer."""


def anomaly_rows(dataset: LabelledLightCurves) -> tuple[Rows, tuple[str, ...]]:
    """The features that forests of anomalies are grown on, shape (n, features), and their names."""
    rows, names = light_curve_rows(dataset)
    keep = [
        k for k, name in enumerate(names)
        if not name.startswith(_LEFT_OUT) and np.isfinite(rows[:, k]).mean() > LEAST_PRESENT
    ]  # fmt: skip
    return np.ascontiguousarray(rows[:, keep]), tuple(names[k] for k in keep)


def anomaly_features() -> tuple[str, ...]:
    """Names of those features, of any data."""
    return tuple(n for n in NAMES if not n.startswith((*HOST_FEATURES, *_LEFT_OUT)))


def ask(
    forest: SharedForest,
    rows: Rows,
    is_rare: npt.NDArray[np.bool_],
    questions: int = 200,
    every: int = 2,
    prior: Sequence[int] = (),
) -> Session:
    """Ask about the most anomalous object, again and again; fit anew after ``every`` answers.

    Parameters
    ----------
    rows
        Shape (n, features), NaN is missing: what can be asked about.
    is_rare
        Shape (n,): what the user would call an anomaly.
    prior
        Rows of known examples the user gives beforehand; they are not asked about.
    """
    asked: list[int] = []
    known = list(prior)
    is_open = np.ones(len(rows), dtype=bool)
    is_open[known] = False
    weights = forest.prior
    static = np.argsort(-np.where(is_open, forest.scores(rows, weights), -np.inf), kind="stable")
    opinions = {k: "anomaly" if is_rare[k] else "regular" for k in range(len(rows))}
    if known:
        weights = forest.weights(rows[known], [opinions[k] for k in known])
    while len(asked) < questions:
        scores = np.where(is_open, forest.scores(rows, weights), -np.inf)
        best = np.argsort(-scores, kind="stable")[: min(every, questions - len(asked))].tolist()
        asked += best
        known += best
        is_open[best] = False
        weights = forest.weights(rows[known], [opinions[k] for k in known])
    return Session(
        np.cumsum(is_rare[asked]),
        np.cumsum(is_rare[static[:questions]]),
        forest.scores(rows, weights),
    )
