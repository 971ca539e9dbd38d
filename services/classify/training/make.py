"""From the name of a classifier to a model on its shelf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from services.classify.classifiers import CLASSIFIERS
from services.classify.classifiers.anomaly import FEATURES, Anomaly
from services.classify.model_registry import ModelShelf
from services.classify.training import anomaly, early_sn_ia_model
from services.classify.training.cards import manifest_of, write_model
from services.classify.training.recipe import Trained, train
from services.classify.training.recipes import RECIPES

Say = Callable[[str], None]
_LOOKS_OF_ADDED = {"whole": 1.0, "detections": 1.0}


def make_model(
    classifier: str,
    data: Path,
    models: Path,
    seed: int,
    every: int,
    say: Say,
    also: Sequence[str] = (),
) -> tuple[Path, Trained | None]:
    """Train a classifier anew; returns the model's folder and what was found.

    An isolation forest has no labels, so nothing is found about it. ``also`` names data sets to
    train on besides the recipe's, each seen whole and as its detections grow.

    Raises
    ------
    FileNotFoundError
        If a data set is missing under ``data``.
    ValueError
        If there is no recipe to add a data set to.
    """
    if also and classifier not in RECIPES:
        raise ValueError(f"{classifier} is trained on its own data sets only: leave out --also")
    if classifier == Anomaly.name:
        return _make_anomaly(data, models, seed, every, say), None
    shelf, definition = ModelShelf(models, classifier), CLASSIFIERS[classifier]
    with threadpool_limits(1):  # contended OpenMP stalls for minutes
        if classifier in RECIPES:
            recipe = RECIPES[classifier]
            added = {name: dict(_LOOKS_OF_ADDED) for name in also if name not in recipe.looks}
            recipe = replace(recipe, looks={**recipe.looks, **added})
            trained = train(recipe, data, seed, every, say)
            datasets = tuple(name for name in recipe.looks if name not in recipe.judged_on)
            about: dict[str, Any] = {
                "prior": recipe.prior,
                "limits": recipe.limits,
                "growth": dict(recipe.growth),
                "held_out": "20 % of objects, by crc32 of dataset:object; two fifths calibrate",
            }
        else:
            trained, about, datasets = early_sn_ia_model.make(data, seed, every, say)
    about |= {
        "trained_on": manifest_of(data, datasets) | {"examples": trained.examples},
        "seed": seed,
        "every": every,
        "metrics": trained.metrics,
    }
    folder = write_model(shelf, definition.taxonomy, definition.features, trained.arrays, about)
    say(f"{classifier} {folder.name}, in {folder}")
    return folder, trained


def _make_anomaly(data: Path, models: Path, seed: int, every: int, say: Say) -> Path:
    with threadpool_limits(1):
        arrays, alerts = anomaly.make(data, seed, every, say)
    about: dict[str, Any] = {
        "prior": "none: a score, ranked among other alerts",
        "limits": "Grown on simulated alerts and some real supernovae; g and r only.",
        "growth": {"trees": 100, "sample": 256},
        "held_out": "none",
        "trained_on": manifest_of(data, tuple(anomaly.LOOKS)) | {"examples": alerts},
        "seed": seed,
        "every": every,
        "metrics": {},
    }
    shelf = ModelShelf(models, Anomaly.name)
    folder = write_model(shelf, ("anomaly",), FEATURES, arrays, about)
    say(f"{Anomaly.name} {folder.name}, in {folder}")
    return folder
