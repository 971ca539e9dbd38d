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

Say = Callable[[str], None]
_LIMITS = (
    "Trained mostly on simulations (LSST, DES) moved towards low redshift, and on a few hundred"
    " real supernovae; never on ZTF. Peculiar Ia count as not Ia. Stripped-envelope supernovae"
    " (Ib, Ic) near maximum are the hardest to tell apart. No host, no redshift, no sky position"
    " is used. The probability assumes that half of the alerts are Ia: where the odds of Ia are"
    " r to 1, multiply the odds by r."
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


def judge(forest: Forest, sets: dict[str, recipe.Examples]) -> dict[str, Any]:
    """Metrics on held-out objects of each set; all objects of a set that was not trained on."""
    metrics: dict[str, Any] = {}
    for name, every in sets.items():
        kept = every.where(every.is_held_out) if name in recipe.TRAINED_ON else every
        probability = probabilities_of(forest.scores(kept.rows))[:, 0]
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
        [sets[name].where(~sets[name].is_held_out) for name in recipe.TRAINED_ON], seed
    )
    forest = Forest(trees)
    held = _held_out(sets)
    trained = Trained(
        arrays={**trees.arrays(), "temperature": np.ones(1)},
        metrics=judge(forest, sets),
        examples={
            name: {
                "SN Ia": int(sets[name].is_sn_ia[~sets[name].is_held_out].sum()),
                "other": int((~sets[name].is_sn_ia[~sets[name].is_held_out]).sum()),
            }
            for name in recipe.TRAINED_ON
        },
        held_out=held,
        probabilities=probabilities_of(forest.scores(held.rows)),
    )
    about = {
        "prior": "half of the alerts are SN Ia",
        "limits": _LIMITS,
        "growth": recipe.hyperparameters(),
        "held_out": "25 % of objects, by crc32 of dataset:object",
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
                weight=recipe.balanced_weights(kept.is_sn_ia),
                object_index=kept.object_index.astype(np.int64),
                source=np.full(len(kept.rows), f"{name}:alerts"),
                is_held_out=kept.is_held_out,
            )
        )
    return Examples.joined(parts)
