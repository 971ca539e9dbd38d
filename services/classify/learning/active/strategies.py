"""How much the class of each object would teach: query strategies.

A strategy turns what a committee of trees says into one number per object, more is better. Settles
2009 (Active Learning Literature Survey) for the first five; Houlsby et al. 2011 for the mutual
information; expected change compares with what was said the night before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.classify.learning.models.base import Probabilities

Scores = npt.NDArray[np.float64]
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Opinions:
    """What a committee says of ``n`` objects."""

    members: npt.NDArray[np.float64]
    """Shape (members, n, classes)."""
    before: Probabilities | None = None
    """Shape (n, classes): the mean a night ago; None if not asked then."""

    @property
    def mean(self) -> Probabilities:
        """Shape (n, classes)."""
        return np.asarray(self.members.mean(axis=0))


def _entropy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(-(p * np.log(p + _TINY)).sum(axis=-1) / np.log(p.shape[-1]))


def uncertainty(said: Opinions) -> Scores:
    """One minus the greatest probability, scaled to [0, 1]."""
    k = said.members.shape[-1]
    return np.asarray((1.0 - said.mean.max(axis=1)) * k / (k - 1.0))


def margin(said: Opinions) -> Scores:
    """One minus the lead of the first class over the second."""
    ordered = np.sort(said.mean, axis=1)
    return np.asarray(1.0 - (ordered[:, -1] - ordered[:, -2]))


def entropy(said: Opinions) -> Scores:
    """Entropy of the mean, over its greatest value."""
    return _entropy(said.mean)


def committee(said: Opinions) -> Scores:
    """Entropy of the members' votes."""
    k = said.members.shape[-1]
    votes = said.members.argmax(axis=2)
    shares = np.stack([(votes == c).mean(axis=0) for c in range(k)], axis=1)
    return _entropy(shares)


def mutual_information(said: Opinions) -> Scores:
    """Entropy of the mean minus mean entropy: what members disagree about, not noise (BALD)."""
    return np.asarray(_entropy(said.mean) - _entropy(said.members).mean(axis=0))


def expected_change(said: Opinions) -> Scores:
    """How far the mean moved since it was last asked, half the sum of differences; and entropy.

    An object whose verdict moves as its light curve grows is one whose verdict is not settled.
    """
    if said.before is None:
        return _entropy(said.mean)
    moved = 0.5 * np.abs(said.mean - said.before).sum(axis=1)
    return np.asarray(0.5 * (_entropy(said.mean) + moved))


STRATEGIES: dict[str, Callable[[Opinions], Scores]] = {
    "uncertainty": uncertainty,
    "margin": margin,
    "entropy": entropy,
    "committee": committee,
    "mutual_information": mutual_information,
    "expected_change": expected_change,
}


def diverse(
    scores: Scores, places: npt.NDArray[np.float64], size: int, pool: int = 5
) -> npt.NDArray[np.int64]:
    """``size`` objects of high score that are unlike each other.

    Greedy: the next is the one of greatest score times distance to the nearest already chosen
    (farthest-first, Gonzalez 1985), among the ``pool * size`` best.

    Parameters
    ----------
    scores
        Shape (n,), zero or more.
    places
        Shape (n, dimensions): where objects are, each dimension of about the same spread.
    """
    best = np.argsort(-scores, kind="stable")[: pool * size]
    own = places[best]
    nearest = np.full(len(best), np.inf)
    chosen: list[int] = []
    for _ in range(min(size, len(best))):
        gain = scores[best] * np.minimum(nearest, 1e6)
        gain[chosen] = -np.inf
        one = int(np.argmax(gain)) if chosen else 0
        chosen.append(one)
        nearest = np.minimum(nearest, np.sqrt(((own - own[one]) ** 2).sum(axis=1)))
    return np.asarray(best[chosen])


def within_budget(
    scores: Scores, cost: npt.NDArray[np.float64], budget: float, power: float = 1.0
) -> npt.NDArray[np.int64]:
    """Objects by score per cost until the budget is spent; a greedy knapsack (Dantzig 1957).

    Parameters
    ----------
    scores, cost
        Shape (n,); what has an endless cost is never taken.
    budget
        In units of ``cost``.
    power
        Of the cost: 0 looks at the scores only, 1 at score per cost.
    """
    worth = np.where(
        np.isfinite(cost) & (cost <= budget), scores / np.maximum(cost, 1e-9) ** power, -1.0
    )
    chosen, spent = [], 0.0
    for one in np.argsort(-worth, kind="stable").tolist():
        if worth[one] < 0.0:
            break
        if spent + cost[one] <= budget:
            chosen.append(one)
            spent += float(cost[one])
    return np.array(chosen, dtype=np.int64)
