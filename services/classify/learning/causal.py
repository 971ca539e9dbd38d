"""A strictly causal season: alert by alert, each seen with no more than its light curve so far.

Every night on which an object is detected (S/N 5), from its second one on, is an alert: a question
asked of features of the points up to then. The object's class is told ``LABEL_DELAY_DAYS`` after
its second night, as by a spectrum, and what is learnt are its alerts until then.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from services.classify.features import NAMES, features_of
from services.classify.learning.benchmark import HOLD_OUT, LATE_SHARE, WARM_UP, Score, held_scores
from services.classify.learning.models import MODELS
from services.classify.learning.models.base import Rows, StreamModel
from services.classify.learning.splits import stable_fractions
from services.classify.learning.streams.base import HOST_FEATURES
from services.classify.learning.streams.snpcc import CLASS_OF, CLASSES
from services.classify.training.datasets.base import LabelledLightCurves
from services.classify.training.datasets.snpcc import load
from services.classify.training.looks import is_positive_detection

LABEL_DELAY_DAYS = 30.0
STEP_DAYS = 4.0
"""What is told in between is learnt together."""
LESSONS = 3
"""Alerts of an object that are learnt, drawn at random."""
SHARE = 0.25
"""Of the objects of SNPCC that are played: 5,300 objects, 80,000 alerts."""
_BATCH = 4_000


@dataclass(frozen=True, slots=True)
class AlertSeason:
    """All alerts of a season in order of time."""

    rows: Rows
    """Shape (alerts, features)."""
    owner: npt.NDArray[np.int64]
    """Shape (alerts,): which object."""
    mjd: npt.NDArray[np.float64]
    """Shape (alerts,): end of the night, ascending."""
    days: npt.NDArray[np.float64]
    """Shape (alerts,): since the object's second night."""
    label: npt.NDArray[np.int64]
    """Shape (objects,)."""
    object_id: npt.NDArray[np.str_]
    """Shape (objects,)."""


def alerts_of(
    dataset: LabelledLightCurves,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Object, end of the night and days since the second night of every alert, by time."""
    curves = dataset.curves
    hit = is_positive_detection(curves)
    night = np.floor(curves.mjd_tai[hit] - 0.75).astype(np.int64)
    pairs = np.unique(np.stack([curves.alert_index[hit].astype(np.int64), night], axis=1), axis=0)
    owner, night = pairs[:, 0], pairs[:, 1]
    number = np.arange(len(owner)) - np.searchsorted(owner, owner)
    second = np.full(len(curves), np.nan)
    is_second = number == 1
    second[owner[is_second]] = night[is_second]
    keep = number >= 1
    owner, night = owner[keep], night[keep]
    order = np.lexsort((owner, night))
    owner, night = owner[order], night[order]
    return owner, (night + 1.75).astype(np.float64), np.asarray(night - second[owner])


def season_of(dataset: LabelledLightCurves) -> AlertSeason:
    """Features of every alert, from the points up to its night alone."""
    owner, mjd, days = alerts_of(dataset)
    keep = [k for k, name in enumerate(NAMES) if not name.startswith(HOST_FEATURES)]
    rows = np.zeros((len(owner), len(keep)), dtype=np.float32)
    for start in range(0, len(owner), _BATCH):
        here = slice(start, start + _BATCH)
        curves = dataset.curves.curves(owner[here])
        seen = curves.points(curves.mjd_tai <= mjd[here][curves.alert_index])
        unknown = np.full(len(seen), np.nan)
        rows[here] = features_of(seen, unknown, unknown).values[keep].T
    index = {name: k for k, name in enumerate(CLASSES)}
    label = np.array([index[CLASS_OF[name]] for name in dataset.truth.class_name.tolist()])
    return AlertSeason(rows, owner, mjd, days, label, dataset.truth.object_id)


def snpcc_season(data: Path) -> tuple[AlertSeason, tuple[str, ...]]:
    """SNPCC's alerts, and the classes their labels count; read once."""
    return _snpcc_season(data), CLASSES


@cache
def _snpcc_season(data: Path) -> AlertSeason:
    dataset = load(data)
    some = np.flatnonzero(stable_fractions("causal", dataset.truth.object_id) < SHARE)
    truth = dataset.truth
    part = LabelledLightCurves(
        dataset.name,
        dataset.curves.curves(some),
        type(truth)(
            truth.object_id[some], truth.class_name[some], truth.is_sn_ia[some],
            truth.redshift[some],
        ),
        dataset.surroundings.of(some),
    )  # fmt: skip
    return season_of(part)


def play(
    model: StreamModel, season: AlertSeason, is_held: npt.NDArray[np.bool_], seed: int
) -> tuple[npt.NDArray[np.float64], float, float]:
    """Play a season; answers of shape (alerts, classes), and CPU seconds learning and answering.

    ``is_held``, shape (objects,), are never told of.
    """
    rng = np.random.default_rng([seed, 3])
    told_mjd = np.full(len(season.label), np.inf)
    np.minimum.at(told_mjd, season.owner, season.mjd - season.days + LABEL_DELAY_DAYS)
    told_mjd[is_held] = np.inf
    found = np.zeros((len(season.owner), len(CLASSES)))
    spent = [0.0, 0.0]
    edges = np.arange(season.mjd[0], season.mjd[-1] + STEP_DAYS, STEP_DAYS)
    for begin, end in itertools.pairwise(edges):
        first, last = np.searchsorted(season.mjd, [begin, end])
        if last > first:
            clock = time.process_time()
            found[first:last] = model.probabilities(season.rows[first:last])
            spent[1] += time.process_time() - clock
        told = np.flatnonzero((told_mjd >= begin) & (told_mjd < end))
        past = np.flatnonzero(np.isin(season.owner[:last], told))
        if len(past):
            past = past[np.sort(_some_of_each(season.owner[past], rng))]
            clock = time.process_time()
            model.learn(season.rows[past], season.label[season.owner[past]])
            spent[0] += time.process_time() - clock
    return found, spent[0], spent[1]


def _some_of_each(owner: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """At most ``LESSONS`` places of every owner, at random."""
    order = np.lexsort((rng.random(len(owner)), owner))
    number = np.arange(len(owner)) - np.searchsorted(owner[order], owner[order])
    return np.asarray(order[number < LESSONS])


def causal_score(data: Path, name: str, seed: int) -> Score:
    """Play SNPCC to a model, alert by alert; the hold-out is judged by its objects' last alerts."""
    season = _snpcc_season(data)
    is_held = stable_fractions(f"stream:{seed}", season.object_id) < HOLD_OUT
    model = MODELS[name](season.rows.shape[1], len(CLASSES), seed, len(season.label))
    found, learning_s, answering_s = play(model, season, is_held, seed)
    judged = np.flatnonzero(~is_held[season.owner])
    judged = judged[int(WARM_UP * len(judged)) :]
    label, best = season.label[season.owner[judged]], found[judged].argmax(axis=1)
    late = slice(int(len(judged) * (1 - LATE_SHARE)), None)
    last = np.zeros(len(season.label), dtype=np.int64)
    last[season.owner] = np.arange(len(season.owner))
    has_alert = np.bincount(season.owner, minlength=len(season.label)) > 0
    asked = last[is_held & has_alert]
    macro = f1_score(label, best, labels=np.unique(label), average="macro", zero_division=0)
    held = held_scores(season.label[season.owner[asked]], model.probabilities(season.rows[asked]))
    return Score(
        "snpcc alerts", name, "causal", seed,
        float((best == label).mean()), float(macro), float((best[late] == label[late]).mean()),
        *held,
        1e3 * learning_s / max(int((~is_held).sum()), 1), 1e3 * answering_s / len(season.owner),
    )  # fmt: skip
