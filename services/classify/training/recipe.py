"""How a model is made, step by step: examples, trees, calibration, the unknown, and its proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import BoostedTrees, Forest, probabilities_of
from services.classify.classifiers.base import ClassifierDefinition
from services.classify.classifiers.survey_features import OF_OBJECTS
from services.classify.training.datasets import DATASETS
from services.classify.training.datasets.base import LabelledLightCurves
from services.classify.training.examples import Examples, counts, examples_of
from services.classify.training.scores import fitted_temperature, summary
from services.classify.training.trees import class_weights, grow
from services.classify.training.unknown_fit import (
    HIDDEN,
    hide,
    left_out_scores,
    space_of,
    weights_from,
    with_quantiles,
    with_weights,
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What one classifier is trained on, and how."""

    definition: ClassifierDefinition
    looks: Mapping[str, Mapping[str, float]]
    """By data set: the looks taken, and the weight of each."""
    class_names: Mapping[str, str]
    """From the data sets' class names to the taxonomy; others keep theirs, or are left out."""
    other: str | None = None
    """Class of all that is not in the taxonomy; None leaves it out."""
    class_exponent: float = 0.5
    """1: every class weighs the same; 0: as many as there are."""
    own_exponents: Mapping[str, float] = field(default_factory=dict)
    """The same within one data set. A set that looks real must not be a sign of the class that
    is frequent in it, nor what is rare in it become frequent."""
    copies: Mapping[str, int] = field(default_factory=dict)
    """By data set: how often looks that have chance in them are taken; else once."""
    rare_copies: Mapping[str, int] = field(default_factory=dict)
    """The same by class, for classes of few objects."""
    growth: Mapping[str, Any] = field(default_factory=dict)
    knows_unknown: bool = False
    keep: Callable[[Examples, ClassifierDefinition], npt.NDArray[np.bool_]] | None = None
    """Which examples the classifier would answer."""
    judged_on: tuple[str, ...] = ()
    """Data sets that are judged on and not trained on."""
    limits: str = ""
    prior: str = ""


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and what is to be said about it."""

    arrays: dict[str, npt.NDArray[Any]]
    metrics: dict[str, Any]
    examples: dict[str, Any]
    held_out: Examples
    probabilities: npt.NDArray[np.float64]
    """Of the held-out examples that were judged."""


def relabelled(dataset: LabelledLightCurves, recipe: Recipe) -> LabelledLightCurves:
    """The set with class names of the recipe's taxonomy."""
    truth, known = dataset.truth, set(recipe.definition.taxonomy)
    names = [recipe.class_names.get(name, name) for name in truth.class_name.tolist()]
    if recipe.other is not None:
        names = [name if name in known else recipe.other for name in names]
    changed = type(truth)(truth.object_id, np.array(names), truth.is_sn_ia, truth.redshift)
    return type(dataset)(dataset.name, dataset.curves, changed, dataset.surroundings)


def gather(recipe: Recipe, data: Path, seed: int, every: int, say: Say) -> Examples:
    """All examples of a recipe; only every ``every``-th is kept."""
    parts = []
    for name, looks in recipe.looks.items():
        dataset = relabelled(DATASETS[name].load(data), recipe)
        found = examples_of(
            dataset,
            looks,
            recipe.definition.taxonomy,
            recipe.definition.features,
            seed=seed,
            copies=recipe.copies.get(name, 1),
            rare_copies=recipe.rare_copies,
        )
        if recipe.keep is not None:
            found = found.where(recipe.keep(found, recipe.definition))
        found = found.where(found.object_index % every == 0)
        found = _balanced(found, recipe, recipe.own_exponents.get(name, 0.0))
        say(f"{name:10s} {len(found.rows):7d} examples")
        parts.append(found)
    return Examples.joined(parts)


def _balanced(found: Examples, recipe: Recipe, exponent: float) -> Examples:
    """The set with its classes weighed against each other."""
    weight = found.weight * class_weights(found.label, len(recipe.definition.taxonomy), exponent)
    return replace(found, weight=weight)


def _weights(part: Examples, recipe: Recipe) -> npt.NDArray[np.float64]:
    classes = len(recipe.definition.taxonomy)
    return part.weight * class_weights(part.label, classes, recipe.class_exponent)


def train(recipe: Recipe, data: Path, seed: int, every: int, say: Say) -> Trained:
    """Make a model: fit on training objects, calibrate and judge on the objects kept apart."""
    taxonomy = recipe.definition.taxonomy
    examples = gather(recipe, data, seed, every, say)
    is_judge = np.isin([one.split(":")[0] for one in examples.source.tolist()], recipe.judged_on)
    fit = examples.where(~examples.is_held_out & ~is_judge)
    kept = examples.where(examples.is_held_out | is_judge)
    for_calibration = (kept.object_index % 5 < 2) & ~is_judge[examples.is_held_out | is_judge]
    say(f"growing trees on {len(fit.rows)} examples")
    trees = grow(
        fit.rows, fit.label, len(taxonomy), _weights(fit, recipe), seed=seed, **recipe.growth
    )
    forest = Forest(trees)
    tune = kept.where(for_calibration)
    temperature = fitted_temperature(tune.label, forest.scores(tune.rows), _weights(tune, recipe))
    say(f"temperature {temperature:.3f}")
    arrays = {**trees.arrays(), "temperature": np.array([temperature])}
    judged = kept.where(~for_calibration)
    probabilities = probabilities_of(forest.scores(judged.rows), temperature)
    metrics: dict[str, Any] = {
        str(source): summary(
            judged.label[judged.source == source],
            probabilities[judged.source == source],
            taxonomy,
        )
        for source in np.unique(judged.source)
    }
    if recipe.knows_unknown:
        extra, scores = _unknown(recipe, fit, tune, trees, temperature, seed, say)
        arrays.update(extra)
        metrics["unknown"] = scores
    return Trained(arrays, metrics, counts(fit, taxonomy), judged, probabilities)


def _unknown(
    recipe: Recipe,
    fit: Examples,
    tune: Examples,
    trees: BoostedTrees,
    temperature: float,
    seed: int,
    say: Say,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Arrays of ``p_unknown``, and how well hidden classes were noticed."""
    # What tells surveys apart would make every other survey's alert an unknown.
    counted = np.isin(recipe.definition.features, OF_OBJECTS)
    space = space_of(fit.rows, fit.label, seed, counted)
    probabilities = probabilities_of(Forest(trees).scores(tune.rows), temperature)
    space = with_quantiles(space, tune.rows, probabilities)
    # One set with all classes, thinned: eight small trainings must stay a matter of a minute.
    full = Examples.joined([fit, tune])
    full = full.where(np.char.startswith(full.source, "plasticc"))
    full = full.where(np.random.default_rng(seed).random(len(full.rows)) < 9_000 / len(full.rows))
    is_test = full.object_index % 10 < 3
    seen = []
    for name in HIDDEN:
        say(f"hiding {name}")
        seen.append(
            hide(
                name,
                full.rows,
                full.label,
                is_test,
                recipe.definition.taxonomy,
                seed,
                counted=counted,
            )
        )
    scores = left_out_scores(seen)
    weights = weights_from(seen)
    report = {
        "hidden": {name: [round(x, 3) for x in pair] for name, pair in scores.items()},
        "mean_auroc": round(float(np.mean([a for a, _ in scores.values()])), 3),
        "mean_tpr_at_5_percent_fpr": round(float(np.mean([t for _, t in scores.values()])), 3),
    }
    return with_weights(space, weights).arrays(), report
