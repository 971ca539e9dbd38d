"""What the benchmarks share: data, features, splits, one way to grow and to ask trees."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import Forest, probabilities_of
from services.classify.features import NAMES, features_of
from services.classify.training.datasets import DATASETS
from services.classify.training.datasets.base import LabelledLightCurves
from services.classify.training.examples import hash_fractions
from services.classify.training.trees import class_weights, grow
from shared.light_curves.ragged import RaggedLightCurves

DATA = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int16]


@cache
def dataset(name: str) -> LabelledLightCurves:
    return DATASETS[name].load(DATA)


def rows_of(name: str, curves: RaggedLightCurves, *, with_host: bool) -> Rows:
    """All features of the registry; the host's photometric redshift only if asked for."""
    around = dataset(name).surroundings
    unknown = np.full(len(curves), np.nan)
    redshift = around.host_redshift if with_host else unknown
    found = features_of(curves, around.galactic_latitude_deg, redshift)
    keep = [k for k, n in enumerate(NAMES) if with_host or not _needs_host(n)]
    return np.ascontiguousarray(found.values[keep].T)


def _needs_host(name: str) -> bool:
    return name.startswith(("rest_", "absolute_", "host_"))


def split_ranks(name: str, seed: int) -> npt.NDArray[np.int64]:
    """Rank of each object by the hash of its name and the seed."""
    fractions = hash_fractions(f"bench:{name}:{seed}", dataset(name).truth.object_id)
    return np.argsort(np.argsort(fractions))


def folds(name: str, seed: int, number: int) -> npt.NDArray[np.int64]:
    """Fold of each object, by that rank."""
    return split_ranks(name, seed) % number


def fit(
    rows: Rows, label: Labels, classes: int, seed: int, exponent: float, **growth: Any
) -> Forest:
    weight = class_weights(label, classes, exponent)
    return Forest(grow(rows, label, classes, weight, seed=seed, **growth))


def ask(forest: Forest, rows: Rows, temperature: float = 1.0) -> Floats:
    return probabilities_of(forest.scores(rows), temperature)
