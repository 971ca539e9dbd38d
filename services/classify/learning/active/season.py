"""Active learning on whole light curves: choose, "observe", learn again, judge.

The protocol of Ishida et al. 2019 (arXiv:1804.03765): a random forest tells Ia from the rest; each
round asks for the class of some objects of the pool; the test objects are never asked for.
``canonical`` draws at random among objects as bright as the spectroscopic sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier

from services.classify.learning.active.merit import Merit, merit
from services.classify.learning.active.pool import Pool
from services.classify.learning.active.strategies import STRATEGIES, Opinions, diverse

RANDOM_WAYS = ("random", "canonical")
STARTS = ("spectroscopic", "ten")
_LARGE = 100
"""Queries up to which the rounds are short: little is known, and every answer changes much."""


@dataclass(frozen=True, slots=True)
class Season:
    """What is played."""

    start: str = "spectroscopic"
    strategy: str = "uncertainty"
    queries: int = 1_000
    round_size: int = 20
    is_diverse: bool = False
    trees: int = 60
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """The state after so many queries."""

    queries: int
    merit: Merit
    median_mag_r: float
    """Of all objects asked for so far."""


def play(pool: Pool, season: Season) -> list[Point]:
    """Play a season; one point a round, the start first."""
    rng = np.random.default_rng([season.seed, 7])
    test, free = pool.split(season.seed)
    known = _start(pool, free, season.start)
    free = np.setdiff1d(free, known, assume_unique=True)
    free = rng.permutation(free)
    points: list[Point] = []
    asked = np.zeros(0, dtype=np.int64)
    step = season.round_size if season.start == "spectroscopic" else season.round_size // 2
    while True:
        forest = RandomForestClassifier(
            season.trees, n_jobs=1, random_state=season.seed * 1_000 + len(asked)
        )
        forest.fit(pool.rows[known], pool.is_sn_ia[known])
        found = merit(forest.predict_proba(pool.rows[test])[:, 1], pool.is_sn_ia[test])
        points.append(Point(len(asked), found, _median_mag(pool, asked)))
        if len(asked) >= season.queries:
            return points
        chosen = _chosen(pool, forest, free, min(step, season.queries - len(asked)), season, rng)
        asked = np.concatenate([asked, chosen])
        known = np.concatenate([known, chosen])
        free = free[~np.isin(free, chosen)]


def _start(pool: Pool, free: npt.NDArray[np.int64], start: str) -> npt.NDArray[np.int64]:
    if start == "spectroscopic":
        return np.flatnonzero(pool.is_spectroscopic)
    is_ia = pool.is_sn_ia[free]
    return np.concatenate([free[is_ia][:5], free[~is_ia][:5]])


def _chosen(
    pool: Pool,
    forest: RandomForestClassifier,
    free: npt.NDArray[np.int64],
    size: int,
    season: Season,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    if season.strategy == "random":
        return np.asarray(rng.choice(free, size, replace=False))
    if season.strategy == "canonical":
        faintest = np.nanquantile(pool.mag_r[pool.is_spectroscopic], 0.9)
        bright = free[pool.mag_r[free] <= faintest]
        return np.asarray(rng.choice(bright, min(size, len(bright)), replace=False))
    members = np.stack([one.predict_proba(pool.rows[free]) for one in forest.estimators_])
    scores = STRATEGIES[season.strategy](Opinions(members))
    if season.is_diverse:
        places = _ranked(pool.rows[free][:, np.argsort(-forest.feature_importances_)[:12]])
        return np.asarray(free[diverse(scores, places, size)])
    return np.asarray(free[np.argsort(-scores, kind="stable")[:size]])


def _ranked(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Each column as ranks in [0, 1]: distances that no outlier rules."""
    return np.asarray(rows.argsort(axis=0).argsort(axis=0) / max(len(rows) - 1, 1))


def _median_mag(pool: Pool, asked: npt.NDArray[np.int64]) -> float:
    seen = pool.mag_r[asked]
    return float(np.nanmedian(seen)) if np.isfinite(seen).any() else float("nan")


def at(points: Sequence[Point], queries: int) -> Point:
    """The point after so many queries; the last one before if there is none."""
    return [one for one in points if one.queries <= queries][-1]


def rows_of(season: Season, points: Sequence[Point]) -> list[dict[str, object]]:
    """Points as rows of a table."""
    return [
        {**asdict(season), "queries": p.queries, "median_mag_r": p.median_mag_r, **asdict(p.merit)}
        for p in points
    ]
