"""Trains and judges ``early_sn_ia``, whose examples are alerts rather than looks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from services.classify.boosted_trees import Forest, probabilities_of
from services.classify.training import early_sn_ia as recipe
from services.classify.training.datasets import DATASETS
from services.classify.training.early_alerts import Cut
from services.classify.training.examples import Examples
from services.classify.training.metrics import by_age, by_class, summary
from services.classify.training.recipe import Trained
from services.classify.training.scores import fitted_temperature

Say = Callable[[str], None]
_LIMITS = (
    "Trained on simulations (LSST, DES) moved towards low redshift and made brighter, on real"
    " supernovae of the Open Supernova Catalog, on the type Ia of ZTF's Bright Transient Survey, on"
    " RR Lyrae of SDSS and on made-up stars; on no other class of ZTF. Peculiar Ia count as"
    " not Ia. Stripped-envelope supernovae (Ib, Ic) near maximum are the hardest to tell apart. No"
    " host, no redshift, no sky position is used. The probability assumes that half of the alerts"
    " are Ia: where the odds of Ia are r to 1, multiply the odds by r."
)


def load_examples(
    data: Path, cuts: dict[str, Cut], seed: int, every: int, say: Say
) -> dict[str, recipe.Examples]:
    """Examples of every data set of ``cuts``; only every ``every``-th object is kept."""
    result = {}
    for name, cut in cuts.items():
        start = time.monotonic()
        found = recipe.examples(DATASETS[name].load(data), cut, seed, every)
        result[name] = found
        say(
            f"{name:9s} {len(found.rows):7d} alerts of {len(np.unique(found.object_index)):6d}"
            f" objects, {time.monotonic() - start:5.1f} s"
        )
    return result


def calibrated(forest: Forest, sets: dict[str, recipe.Examples]) -> float:
    """Temperature fitted on two fifths of the objects kept apart, each set weighing the same.

    Sets of one class are left out: in them to be sure is always right.
    """
    parts = []
    for name in recipe.TRAINED_ON:
        kept = sets[name].where(sets[name].is_held_out & (sets[name].object_index % 5 < 2))
        if kept.is_sn_ia.any() and not kept.is_sn_ia.all():
            parts.append((forest.scores(kept.rows), ~kept.is_sn_ia, recipe.weights(kept, 1.0, 0.0)))
    if not parts:
        return 1.0
    scores, label, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return fitted_temperature(label.astype(np.int16), scores, weight)


def judge(forest: Forest, temperature: float, sets: dict[str, recipe.Examples]) -> dict[str, Any]:
    """Metrics on held-out objects of each set; all objects of a set that was not trained on."""
    metrics: dict[str, Any] = {}
    for name, every in sets.items():
        kept = every.where(every.is_held_out) if name in recipe.TRAINED_ON else every
        if not DATASETS[name].is_simulated:
            kept = kept.where(kept.version == 0)  # as they are, not as they were made to look
        probability = probabilities_of(forest.scores(kept.rows), temperature)[:, 0]
        metrics[name] = {
            "is_simulated": DATASETS[name].is_simulated,
            "trained_on": name in recipe.TRAINED_ON,
            "all_alerts": summary(kept, probability),
            "one_alert_per_object": by_age(kept, probability),
            "share_above_half_by_class": by_class(kept, probability),
        }
    return metrics


def make(
    data: Path, seed: int, every: int, say: Say
) -> tuple[Trained, dict[str, Any], tuple[str, ...]]:
    """The model, the rest of its card, and the data sets it was trained on."""
    sets = load_examples(data, recipe.CUTS, seed, every, say)
    trees = recipe.fit(
        {name: sets[name].where(~sets[name].is_held_out) for name in recipe.TRAINED_ON}, seed
    )
    forest = Forest(trees)
    temperature = calibrated(forest, sets)
    say(f"temperature {temperature:.3f}")
    held = _held_out(sets)
    trained = Trained(
        arrays={**trees.arrays(), "temperature": np.array([temperature])},
        metrics=judge(forest, temperature, sets),
        examples={
            name: {
                "SN Ia": int(sets[name].is_sn_ia[~sets[name].is_held_out].sum()),
                "other": int((~sets[name].is_sn_ia[~sets[name].is_held_out]).sum()),
            }
            for name in recipe.TRAINED_ON
        },
        held_out=held,
        probabilities=probabilities_of(forest.scores(held.rows), temperature),
    )
    about = {
        "prior": "half of the alerts are SN Ia",
        "limits": _LIMITS,
        "growth": recipe.hyperparameters(),
        "held_out": "20 % of objects, by crc32 of dataset:object; two fifths fit the temperature",
    }
    return trained, about, recipe.TRAINED_ON


def _held_out(sets: dict[str, recipe.Examples]) -> Examples:
    parts = []
    for name in recipe.TRAINED_ON:
        kept = sets[name].where(sets[name].is_held_out)
        parts.append(
            Examples(
                rows=kept.rows,
                label=np.where(kept.is_sn_ia, 0, 1).astype(np.int16),
                weight=recipe.weights(kept, len(kept.rows), 0.0),
                object_index=kept.object_index.astype(np.int64),
                source=np.full(len(kept.rows), f"{name}:alerts"),
                is_held_out=kept.is_held_out,
            )
        )
    return Examples.joined(parts)
