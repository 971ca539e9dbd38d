"""The steps of a night. Each reads files, writes files, and gives the same if it is done again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import BoostedTrees, Forest, probabilities_of
from services.classify.learning.drift import ErrorDrift, feature_drift
from services.classify.learning.models.base import Probabilities, Rows
from services.classify.learning.models.perceptron import Perceptron, answer
from services.classify.learning.nightly.books import Books, Frozen
from services.classify.learning.nightly.source import Known, NightSource
from services.classify.training.scores import fitted_temperature, summary
from services.classify.training.trees import class_weights, grow

WINDOW_NIGHTS = 60
"""Nights whose answers are judged together at the gate."""
LEAST_JUDGED = 60
"""Labelled answers without which nothing is promoted."""
REFIT_NIGHTS = 7
REFERENCE_NIGHTS = 14
CHALLENGERS = ("challenger", "refitted")
"""Learns a little every night; trees, fitted anew every week. Both may replace the champion."""
ROLES = ("champion", *CHALLENGERS)
Progress = dict[str, Any]


def ask(arrays: Mapping[str, npt.NDArray[Any]], rows: Rows, classes: int) -> Probabilities:
    """What a saved model says, of either kind, with its temperature."""
    if BoostedTrees.is_in(arrays):
        found = probabilities_of(Forest(BoostedTrees.from_arrays(arrays)).scores(rows), 1.0)
    else:
        found = answer(arrays, rows)
    temperature = float(arrays["temperature"][0]) if "temperature" in arrays else 1.0
    warm = np.clip(found, 1e-9, 1.0) ** (1.0 / temperature)
    return np.asarray(warm / warm.sum(axis=1, keepdims=True)).reshape(len(rows), classes)


def freeze(books: Books, source: NightSource, progress: Progress) -> None:
    """Answer for every object of the night, the champion and both challengers side by side."""
    alerts = source.alerts(progress["night"])
    classes = len(source.classes)
    answers = {}
    for role, model_id in models_of(books, progress).items():
        if model_id is None:
            answers[role] = np.full((len(alerts.object_id), classes), np.nan)
        else:
            answers[role] = ask(books.model(model_id)[0], alerts.rows, classes)
    books.freeze(progress["night"], Frozen(alerts.object_id, alerts.rows, **answers))


def models_of(books: Books, progress: Progress) -> dict[str, str | None]:
    """Id of the model in each role tonight; None where there is none yet."""
    return {
        "champion": books.champion,
        "challenger": progress["challenger"],
        "refitted": progress.get("answering_refit"),
    }


def score(books: Books, source: NightSource, progress: Progress) -> None:
    """Judge the frozen answers whose labels are known by now: delayed prequential scores.

    ``beside`` has each challenger and the champion on the objects that both answered for.
    """
    label, answers = judged(books, source, progress)
    report: dict[str, Any] = {"judged": len(label), "beside": {}}
    known = {role: np.isfinite(found).all(axis=1) for role, found in answers.items()}
    for role, found in answers.items():
        if known[role].sum() >= LEAST_JUDGED:
            report[role] = summary(label[known[role]], found[known[role]], source.classes)
    for role in CHALLENGERS:
        both = known[role] & known["champion"]
        if both.sum() >= LEAST_JUDGED:
            report["beside"][role] = {
                one: summary(label[both], answers[one][both], source.classes)
                for one in (role, "champion")
            }
    books.write("scores", progress["night"], report)


def judged(
    books: Books, source: NightSource, progress: Progress
) -> tuple[npt.NDArray[np.int64], dict[str, Probabilities]]:
    """Labels, and by role the last answers before each label was taken in."""
    labels = source.labels(progress["as_of_ms"])
    index = {name: k for k, name in enumerate(source.classes)}
    newest: dict[str, tuple[int, list[npt.NDArray[np.float64]]]] = {}
    night = progress["night"]
    for one in books.frozen_nights():
        if not night - WINDOW_NIGHTS < one <= night:
            continue
        frozen = books.frozen(one)
        for k, name in enumerate(frozen.object_id.tolist()):
            known = labels.get(name)
            if known is None or known.class_name not in index:
                continue
            if source.end_ms(one) <= known.taken_ms:
                answers = [getattr(frozen, role)[k] for role in ROLES]
                newest[name] = (index[known.class_name], answers)
    shape = (len(newest), len(source.classes))
    ordered = [newest[name] for name in sorted(newest)]
    return np.array([label for label, _ in ordered], dtype=np.int64), {
        role: np.array([answers[k] for _, answers in ordered]).reshape(shape)
        for k, role in enumerate(ROLES)
    }


def watch(books: Books, source: NightSource, progress: Progress) -> None:
    """Drift of the features against the first nights, and of the challenger's error."""
    nights = books.frozen_nights()
    reference = [books.frozen(one).rows for one in nights[:REFERENCE_NIGHTS]]
    recent = [books.frozen(one).rows for one in nights[-REFERENCE_NIGHTS:]]
    found = feature_drift(np.concatenate(reference), np.concatenate(recent), source.features)
    label, answers = judged(books, source, progress)
    challenger = answers["challenger"]
    known = np.isfinite(challenger).all(axis=1)
    errors = ErrorDrift()
    errors.add(label[known], challenger[known])
    books.write(
        "drift",
        progress["night"],
        {
            "features_in_alarm": [one.name for one in found if one.is_alarm],
            "greatest_psi": round(found[0].psi, 4) if found else 0.0,
            "error_alarms": len(errors.alarms),
        },
    )


def update(books: Books, source: NightSource, progress: Progress) -> None:
    """Teach the challenger what became known since it was last taught."""
    rows, label = lessons(books, source, progress, since_ms=progress["taught_ms"])
    if len(label) or progress["challenger"] is None:
        model = Perceptron(len(source.features), len(source.classes), progress["seed"])
        if progress["challenger"] is not None:
            model.restore(books.model(progress["challenger"])[0])
        model.learn(rows, label)
        card = _card(books, source, progress, "perceptron", len(label))
        arrays = {
            **model.arrays(),
            "temperature": np.array([_temperature(books, source, progress)]),
        }
        progress["next_challenger"] = books.save_model(arrays, card)
    else:
        progress["next_challenger"] = progress["challenger"]
    progress["lessons"] = progress.get("lessons_before", 0) + len(label)


def refit(books: Books, source: NightSource, progress: Progress) -> None:
    """Once a week: trees, from everything that is known, calibrated on a quarter kept apart.

    From the next night on they answer beside the champion, and the gate judges them as it judges
    the challenger.
    """
    progress["refitted"] = None
    if progress["nights_done"] % REFIT_NIGHTS != REFIT_NIGHTS - 1:
        return
    rows, label = lessons(books, source, progress, since_ms=None)
    if len(np.unique(label)) < 2 or len(label) < 3 * LEAST_JUDGED or len(source.classes) < 3:
        return
    order = np.random.default_rng(progress["seed"]).permutation(len(label))
    out, own = order[: len(order) // 4], order[len(order) // 4 :]
    weight = class_weights(label[own], len(source.classes), 0.25)
    trees = grow(
        rows[own], label[own], len(source.classes), weight, seed=progress["seed"],
        rounds=80, num_leaves=12, learning_rate=0.1, feature_fraction=0.3,
    )  # fmt: skip
    temperature = fitted_temperature(label[out], Forest(trees).scores(rows[out]))
    arrays = {**trees.arrays(), "temperature": np.array([temperature])}
    card = _card(books, source, progress, "trees", len(own))
    found = ask(arrays, rows[out], len(source.classes))
    card["metrics"] = {"held_out": summary(label[out], found, source.classes)}
    progress["refitted"] = books.save_model(arrays, card)
    books.write("refit", progress["night"], {"id": progress["refitted"], **card["metrics"]})


def close(books: Books, source: NightSource, progress: Progress) -> None:
    """Enter the night in the audit, and hand over to the next."""
    scores = books.read("scores", progress["night"])
    drift = books.read("drift", progress["night"])
    books.enter(
        {
            "key": f"{progress['night']}/night",
            "night": progress["night"],
            "as_of_ms": progress["as_of_ms"],
            "alerts": len(books.frozen(progress["night"]).object_id),
            "judged": scores["judged"],
            "champion": books.champion,
            "challenger": progress["next_challenger"],
            "refitted": progress["refitted"],
            "answering_refit": progress.get("answering_refit"),
            "objections": progress["objections"],
            "refit_objections": progress.get("refit_objections", []),
            "lessons": progress["lessons"],
            "drift": drift,
        }
    )
    progress.update(
        challenger=progress["next_challenger"],
        taught_ms=progress["as_of_ms"],
        lessons_before=progress["lessons"],
        nights_done=progress["nights_done"] + 1,
    )
    if progress["refitted"] is not None:
        progress.update(
            answering_refit=progress["refitted"], refit_answers_since=progress["nights_done"]
        )


def lessons(
    books: Books, source: NightSource, progress: Progress, *, since_ms: int | None
) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Newest rows and classes of objects whose label was taken in since then, by object."""
    labels: Mapping[str, Known] = source.labels(progress["as_of_ms"])
    index = {name: k for k, name in enumerate(source.classes)}
    wanted = {
        name: index[one.class_name]
        for name, one in labels.items()
        if one.class_name in index and (since_ms is None or one.taken_ms > since_ms)
    }
    newest: dict[str, npt.NDArray[np.float32]] = {}
    for night in books.frozen_nights() if wanted else ():
        if night <= progress["night"]:
            frozen = books.frozen(night)
            for k, name in enumerate(frozen.object_id.tolist()):
                if name in wanted:
                    newest[name] = frozen.rows[k]
    names = sorted(newest)
    if not names:
        empty = np.zeros((0, len(source.features)), dtype=np.float32)
        return empty, np.zeros(0, dtype=np.int64)
    rows = np.stack([newest[name] for name in names])
    return rows, np.array([wanted[name] for name in names], dtype=np.int64)


def _temperature(books: Books, source: NightSource, progress: Progress) -> float:
    """What calibrates the challenger, fitted on its own judged answers so far."""
    label, answers = judged(books, source, progress)
    found = answers["challenger"]
    known = np.isfinite(found).all(axis=1)
    before = 1.0
    if progress["challenger"] is not None:
        arrays, _ = books.model(progress["challenger"])
        before = float(arrays.get("temperature", np.ones(1))[0])
    if known.sum() < LEAST_JUDGED:
        return before
    logs = np.log(np.clip(found[known], 1e-9, 1.0))
    change = fitted_temperature(label[known], logs)
    return float(np.clip(before * change**0.5, 0.5, 4.0))  # half the way: answers lag behind


def _card(
    books: Books, source: NightSource, progress: Progress, kind: str, lessons_now: int
) -> dict[str, Any]:
    return {
        "classifier": "stream",
        "kind": kind,
        "classes": list(source.classes),
        "features": list(source.features),
        "parent": progress["challenger"],
        "night": progress["night"],
        "label_snapshot_ms": progress["as_of_ms"],
        "lessons": lessons_now,
        "seed": progress["seed"],
    }
