"""Trains the forest on galaxies with magnitudes and spectroscopic redshifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestRegressor

from services.xmatch.photoz.forest import LEVELS, QuantileForest
from services.xmatch.photoz.scores import pit_of

TREES = 60
LEAST_IN_LEAF = 6
MOST_GALAXIES = 150_000
"""More are drawn from at random: leaves hold all of them, and the model would pass 100 MB."""
LEAST_GALAXIES = 500
FINE_LEVELS = np.linspace(0.005, 0.995, 199)
EDGE = 0.0005
"""Part of the training beyond the range that counts as covered, on either side."""
DROPPED = 0.1
"""Part of the training that is shown again with one band missing."""

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def train_forest(
    rows: Rows, redshift: Floats, bands: int, *, seed: int = 1, trees: int = TREES, jobs: int = 1
) -> QuantileForest:
    """Grow a forest and correct its levels on galaxies it has not seen.

    Parameters
    ----------
    rows
        Features, shape (n, 3 * bands - 1).
    redshift
        Spectroscopic, shape (n,).
    bands
        How many bands the features are of.
    seed
        Same seed and galaxies, same forest.
    trees, jobs
        Size of the forest, and threads to grow it with.

    Raises
    ------
    ValueError
        If there are fewer than 500 galaxies.
    """
    if len(rows) < LEAST_GALAXIES:
        raise ValueError(f"{len(rows)} galaxies are too few to train on; give {LEAST_GALAXIES}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rows))[:MOST_GALAXIES]
    held = order[: len(order) // 8]
    used = order[len(order) // 8 :]
    shown, truth = _with_bands_missing(rows[used], redshift[used], bands, rng)
    model = RandomForestRegressor(
        trees, min_samples_leaf=LEAST_IN_LEAF, max_features=0.5, n_jobs=jobs, random_state=seed
    )
    model.fit(shown, truth)
    forest = _forest_of(model, shown, truth, rows[used])
    fine = forest.quantiles(rows[held], FINE_LEVELS)
    pit = pit_of(fine, redshift[held], FINE_LEVELS)
    corrected = np.clip(np.quantile(pit, LEVELS), FINE_LEVELS[0], FINE_LEVELS[-1])
    arrays = {name: getattr(forest, name) for name in forest.__slots__}
    return QuantileForest(**{**arrays, "raw_levels": np.maximum.accumulate(corrected)})


def _with_bands_missing(
    rows: Rows, redshift: Floats, bands: int, rng: np.random.Generator
) -> tuple[Rows, Floats]:
    """The training, and a part of it again with one band missing, so that trees know the case."""
    again = rng.choice(len(rows), int(DROPPED * len(rows)), replace=False)
    copies = rows[again].copy()
    lost = rng.integers(0, bands, len(again))
    each = np.arange(len(again))
    copies[each, lost] = np.nan
    copies[each, 2 * bands - 1 + lost] = np.nan
    for colour in range(bands - 1):
        copies[(lost == colour) | (lost == colour + 1), bands + colour] = np.nan
    return np.concatenate([rows, copies]), np.concatenate([redshift, redshift[again]])


def _forest_of(
    model: RandomForestRegressor, shown: Rows, truth: Floats, whole: Rows
) -> QuantileForest:
    """The fitted trees as arrays, with the redshifts of all that is in each leaf."""
    parts: list[dict[str, npt.NDArray[Any]]] = []
    members, lengths, leaves = [], [], 0
    for estimator in model.estimators_:
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        number = np.full(tree.node_count, -1, np.int32)
        number[is_leaf] = leaves + np.arange(is_leaf.sum())
        at = number[tree.apply(shown)] - leaves
        order = np.argsort(at, kind="stable")
        members.append(truth[order].astype(np.float32))
        lengths.append(np.bincount(at, minlength=int(is_leaf.sum())))
        leaves += int(is_leaf.sum())
        parts.append(
            {
                "feature": np.where(is_leaf, 0, tree.feature).astype(np.int16),
                "threshold": np.where(is_leaf, 0.0, tree.threshold),
                "left": np.where(is_leaf, 0, tree.children_left).astype(np.int32),
                "right": np.where(is_leaf, 0, tree.children_right).astype(np.int32),
                "missing_left": np.asarray(tree.missing_go_to_left, dtype=bool),
                "leaf": number,
            }
        )
    nodes = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    # Rounded down, so that a float32 feature falls on the same side as in scikit-learn.
    threshold = nodes.pop("threshold")
    single = threshold.astype(np.float32)
    single = np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single)
    starts = np.cumsum([0, *(len(part["leaf"]) for part in parts[:-1])]).astype(np.int32)
    low = np.full(whole.shape[1], -np.inf, np.float32)
    high = np.full(whole.shape[1], np.inf, np.float32)
    known = np.isfinite(whole).any(axis=0)
    low[known], high[known] = np.nanquantile(whole[:, known], [EDGE, 1.0 - EDGE], axis=0)
    return QuantileForest(
        threshold=single,
        **nodes,
        tree_starts=starts,
        leaf_start=np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64),
        redshift=np.concatenate(members),
        raw_levels=LEVELS.copy(),
        lowest=low,
        highest=high,
    )
