"""``tocsin classify train``: makes a model again from public data, and says how good it is.

Reads ``light_curves/`` under the data folder, cuts early alerts from whole light curves, fits,
judges on objects that were kept apart and on real supernovae, and writes ``trees.npz`` and
``model.json``. The same data, seed and library versions give the same trees bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from services.classify.boosted_trees import CARD_FILE, TREES_FILE, BoostedTrees, identity_of
from services.classify.classifiers import MODELS
from services.classify.classifiers.early_sn_ia import EARLY_SN_IA
from services.classify.features import DEFINITIONS, VERSION
from services.classify.training import early_sn_ia as recipe
from services.classify.training.datasets import DATASETS
from services.classify.training.early_alerts import Cut
from services.classify.training.export import trees_of
from services.classify.training.metrics import by_age, by_class, summary

_LIMITS = (
    "Trained mostly on simulations (LSST, DES) moved towards low redshift, and on a few hundred"
    " real supernovae; never on ZTF. Peculiar Ia count as not Ia. Stripped-envelope supernovae"
    " (Ib, Ic) near maximum are the hardest to tell apart. No host, no redshift, no sky position"
    " is used. The probability assumes that half of the alerts are Ia: where the odds of Ia are"
    " r to 1, multiply the odds by r."
)


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def load_examples(
    data: Path, cuts: dict[str, Cut], seed: int, every: int
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


def judge(trees: BoostedTrees, sets: dict[str, recipe.Examples]) -> dict[str, Any]:
    """Metrics on held-out objects of each set; all objects of a set that was not trained on."""
    metrics: dict[str, Any] = {}
    for name, every in sets.items():
        kept = every.where(every.is_held_out) if name in recipe.TRAINED_ON else every
        probability = trees.probability(kept.rows)
        metrics[name] = {
            "is_simulated": DATASETS[name].is_simulated,
            "trained_on": name in recipe.TRAINED_ON,
            "all_alerts": summary(kept, probability),
            "one_alert_per_object": by_age(kept, probability),
            "share_above_half_by_class": by_class(kept, probability),
        }
    return metrics


def training_set_hash(data: Path) -> str:
    """SHA-256 over the content of every file trained on, in order."""
    digest = hashlib.sha256()
    for name in recipe.TRAINED_ON:
        for path in DATASETS[name].paths(data):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def card_of(trees: bytes, seed: int, training: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """The model card: what it is, what it was made of, how good it is, what it cannot do."""
    return {
        "id": identity_of(trees),
        "classifier": EARLY_SN_IA.name,
        "classes": list(EARLY_SN_IA.taxonomy),
        "prior": "half of the alerts are SN Ia",
        "feature_version": VERSION,
        "features": list(EARLY_SN_IA.features),
        "feature_units": {name: DEFINITIONS[name].unit for name in EARLY_SN_IA.features},
        "trained_on": {
            "datasets": list(recipe.TRAINED_ON),
            "sha256": training,
            "held_out": f"{recipe.HOLD_OUT_FRACTION:.0%} of objects, by crc32 of dataset:object",
        },
        "seed": seed,
        "hyperparameters": recipe.hyperparameters(),
        "made_with": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scikit-learn", "numba", "pyarrow")},
        },
        "made_by": "tocsin classify train",
        "code_sha256": code_hash(),
        "metrics": metrics,
        "limits": _LIMITS,
    }


def code_hash() -> str:
    """SHA-256 of the feature and training code: which code made the model."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*here.glob("features/*.py"), *here.glob("training/**/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def train(data: Path, out: Path, seed: int, every: int = 1) -> dict[str, Any]:
    """Train, judge and write a model; returns its card."""
    with threadpool_limits(1):  # contended OpenMP stalls for minutes
        sets = load_examples(data, recipe.CUTS, seed, every)
        start = time.monotonic()
        model = recipe.fit(
            [sets[name].where(~sets[name].is_held_out) for name in recipe.TRAINED_ON], seed
        )
        trees = trees_of(model)
        say(f"fitted {len(trees.tree_starts)} trees in {time.monotonic() - start:.1f} s")
        content = trees.to_bytes()
        card = card_of(content, seed, training_set_hash(data), judge(trees, sets))
    out.mkdir(parents=True, exist_ok=True)
    (out / TREES_FILE).write_bytes(content)
    (out / CARD_FILE).write_text(json.dumps(card, indent=1) + "\n")
    say(f"model {card['id'][:12]}, {len(content) / 1024:.0f} KiB, in {out}")
    return card


def main(argv: list[str] | None = None) -> int:
    """Train ``early_sn_ia`` and print its metrics as JSON."""
    parser = argparse.ArgumentParser(
        prog="tocsin classify train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("TOCSIN_DATA", "../shared/data")),
        help="folder that holds light_curves/ (default: TOCSIN_DATA)",
    )
    parser.add_argument(
        "--out", type=Path, default=MODELS / EARLY_SN_IA.name, help="where the model is written"
    )
    parser.add_argument("--seed", type=int, default=0, help="of cuts, noise and trees")
    parser.add_argument(
        "--every", type=int, default=1, help="use every n-th object only: a quick trial"
    )
    chosen = parser.parse_args(argv)
    try:
        card = train(chosen.data, chosen.out, chosen.seed, chosen.every)
    except FileNotFoundError as missing:
        say(str(missing))
        return 2
    sys.stdout.write(json.dumps(card["metrics"], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
