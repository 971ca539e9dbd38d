"""Active learning night by night, with a budget of exposure time.

As in RESSPECT's time-domain loop (Kennamer et al. 2020, arXiv:2010.05941): every night the light
curves are seen up to then; an object can be asked for only while it is bright enough, at the
exposure it costs that night; its class is known from the next night on. What is judged is the
classification of the test objects' whole light curves by a model that has learnt from the spectra
so far. Ways to choose, at equal exposure time:

- ``bright-first``: the brightest first, as follow-up is often done;
- ``random``: any that can be observed;
- ``active``: uncertainty, more of it for magnitudes that the spectra so far have less of than the
  pool; a fifth of the time at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier

from services.classify.features import NAMES, features_of
from services.classify.learning.active.merit import merit
from services.classify.learning.active.pool import Pool
from services.classify.learning.active.strategies import STRATEGIES, Opinions, within_budget
from services.classify.learning.models.refitted import filled
from services.classify.learning.streams.base import HOST_FEATURES
from shared.light_curves.ragged import RaggedLightCurves

NIGHT_WAYS = ("bright-first", "random", "active")
FRESH_DAYS = 8.0
"""An object is followed as long as its newest detection in r or i is no older."""
_RI = (2, 3)
_FIRST_NIGHTS = 20
"""Nights from the season's start before anything is asked for: there must be light curves."""
_KEEP = [k for k, name in enumerate(NAMES) if not name.startswith(HOST_FEATURES)]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Nights:
    """What is played."""

    way: str
    budget_h: float = 6.0
    """Exposure and overhead a night, hours."""
    total_h: float = np.inf
    """Exposure and overhead of the whole season, hours."""
    exposure_s_at_20: float = 20.0
    """For a classification at magnitude 20, sky-limited: times 10^(0.8 (m - 20)). An 8 m takes
    13 minutes at 22, and 84 at 23."""
    overhead_s: float = 300.0
    longest_h: float = 4.0
    cost_power: float = 0.0
    """How much the exposure counts against an object: see ``within_budget``."""
    random_share: float = 0.2
    trees: int = 60
    retrain_nights: int = 4
    judge_nights: int = 15
    strategy: str = "entropy"
    """Of ``STRATEGIES``."""
    balance: float = 0.0
    """How much magnitudes that are short among the spectra gain, 0 to 1."""
    pool_objects: int = 20_000
    most_nights: int = 400
    """Of the season that are played."""
    seed: int = 0


def exposure_s(mag: npt.NDArray[np.float64], nights: Nights) -> npt.NDArray[np.float64]:
    """Exposure and overhead at magnitudes, seconds; endless where too long or not known."""
    time_s = nights.exposure_s_at_20 * 10.0 ** (0.8 * (mag - 20.0))
    too_long = ~(time_s <= 3_600.0 * nights.longest_h)
    return np.where(too_long, np.inf, time_s + nights.overhead_s)


def play_nights(pool: Pool, nights: Nights) -> list[dict[str, object]]:
    """Play a season; a row for each night on which the model was judged."""
    return [dict(row) for row in _Season(pool, nights).rows()]


class _Season:
    """The state of a season that is played."""

    def __init__(self, pool: Pool, nights: Nights) -> None:
        self.pool, self.nights = pool, nights
        self.rng = np.random.default_rng([nights.seed, 11])
        self.test, free = pool.split(nights.seed)
        self.free = np.sort(free[: nights.pool_objects])
        is_ia = pool.is_sn_ia[self.free]
        first = [self.rng.choice(self.free[is_ia == kind], 5, replace=False) for kind in (1, 0)]
        self.known: Index = np.concatenate(first)
        self.spectra, self.exposure_s = 0, 0.0
        self.observed_mag = np.zeros(0)
        self.forest: RandomForestClassifier | None = None

    def rows(self) -> Iterator[dict[str, object]]:
        """Night after night."""
        curves = self.pool.dataset.curves
        start = np.floor(curves.mjd_tai.min()) + _FIRST_NIGHTS
        last = min(int(np.ceil(curves.mjd_tai.max()) - start), self.nights.most_nights)
        for night in range(last + 1):
            mjd = start + night
            if self.forest is None or night % self.nights.retrain_nights == 0:
                self._learn(mjd)
            self._observe(mjd)
            if night % self.nights.judge_nights == 0 or night == last:
                yield self._judged(night)

    def _seen(self, rows: Index, mjd: float) -> tuple[RaggedLightCurves, npt.NDArray[np.float32]]:
        curves = self.pool.dataset.curves.curves(rows)
        curves = curves.points(curves.mjd_tai <= mjd)
        unknown = np.full(len(rows), np.nan)
        values = features_of(curves, unknown, unknown).values[_KEEP].T
        return curves, filled(values)

    def _learn(self, mjd: float) -> None:
        """Learn the known objects as they look tonight; those of the start as a whole."""
        _, rows = self._seen(self.known, mjd)
        self.forest = RandomForestClassifier(
            self.nights.trees, n_jobs=1, random_state=self.nights.seed, min_samples_leaf=2
        ).fit(rows, self.pool.is_sn_ia[self.known])

    def _observe(self, mjd: float) -> None:
        """Choose and spend the night."""
        candidates = np.setdiff1d(self.free, self.known, assume_unique=True)
        mag = _fresh_mag(self.pool.dataset.curves.curves(candidates), mjd)
        cost = exposure_s(mag, self.nights)
        can = np.flatnonzero(np.isfinite(cost))
        if not len(can):
            return
        candidates, mag, cost = candidates[can], mag[can], cost[can]
        budget = min(
            3_600.0 * self.nights.budget_h, 3_600.0 * self.nights.total_h - self.exposure_s
        )
        if self.nights.way == "bright-first":
            chosen = within_budget(-mag + 40.0, cost, budget, power=0.0)
        else:
            share = 1.0 if self.nights.way == "random" else self.nights.random_share
            luck = self.rng.random(len(candidates))
            chosen = within_budget(luck, cost, share * budget, power=0.0)
            if share < 1.0:
                rest = np.setdiff1d(np.arange(len(candidates)), chosen)
                scores = self._scores(candidates[rest], mjd) * self._shortage(mag)[rest]
                left = budget - float(cost[chosen].sum())
                best = within_budget(scores, cost[rest], left, self.nights.cost_power)
                chosen = np.concatenate([chosen, rest[best]])
        self.known = np.concatenate([self.known, candidates[chosen]])
        self.observed_mag = np.concatenate([self.observed_mag, mag[chosen]])
        self.spectra += len(chosen)
        self.exposure_s += float(cost[chosen].sum())

    def _scores(self, candidates: Index, mjd: float) -> npt.NDArray[np.float64]:
        if self.forest is None:
            return self.rng.random(len(candidates))
        _, rows = self._seen(candidates, mjd)
        members = np.stack([one.predict_proba(rows) for one in self.forest.estimators_])
        return STRATEGIES[self.nights.strategy](Opinions(members))

    def _shortage(self, mag: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Share of tonight's objects over share of the spectra, of each object's magnitude."""
        edges = np.arange(15.0, 27.0, 0.5)
        tonight = np.histogram(mag, edges)[0] + 1.0
        so_far = np.histogram(self.observed_mag, edges)[0] + 1.0
        ratio = (tonight / tonight.sum()) / (so_far / so_far.sum())
        slot = np.clip(np.digitize(mag, edges) - 1, 0, len(ratio) - 1)
        return np.asarray(np.clip(ratio[slot], 0.1, 10.0) ** self.nights.balance)

    def _judged(self, night: int) -> dict[str, object]:
        """Fit on what is known so far, light curves whole, and classify the test objects."""
        rows, is_ia = self.pool.rows, self.pool.is_sn_ia
        forest = RandomForestClassifier(
            self.nights.trees, n_jobs=1, random_state=self.nights.seed
        ).fit(rows[self.known], is_ia[self.known])
        found = merit(forest.predict_proba(rows[self.test])[:, 1], is_ia[self.test])
        return {
            "night": night,
            "spectra": float(self.spectra),
            "exposure_h": self.exposure_s / 3_600.0,
            **asdict(found),
        }


def _fresh_mag(curves: RaggedLightCurves, mjd: float) -> npt.NDArray[np.float64]:
    """Magnitude of the newest detection in r or i of the last days, shape (n,); NaN without."""
    good = (
        np.isin(curves.band, _RI)
        & (curves.flux_njy > 5.0 * curves.flux_err_njy)
        & (curves.mjd_tai <= mjd)
        & (curves.mjd_tai > mjd - FRESH_DAYS)
    )
    mag = np.full(len(curves), np.nan)
    # Points are in order of time within a curve, so the last assignment is the newest.
    mag[curves.alert_index[good]] = 31.4 - 2.5 * np.log10(curves.flux_njy[good].astype(np.float64))
    return mag


__all__ = ["NIGHT_WAYS", "Nights", "exposure_s", "play_nights"]
