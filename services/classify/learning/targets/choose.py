"""Who gets a place tonight: chosen ones, random ones, quotas, and programmes served jointly.

Against the gold rush and selection bias:

1. Objects that are classified or claimed already are not candidates.
2. 15 to 20 % of the places are drawn at random, evenly, from all that can be observed, before
   anything is chosen. Their propensity is places over candidates; a chosen one's is 1: it would
   be chosen again. So whatever is learnt can be weighted back to the population.
3. The others are chosen greedily by score times unlikeness to those chosen before, as long as
   no class, magnitude or sky region has more places than its quota.
4. The facilities are served in order of how little they can see, and no object is given twice.
5. A facility's places are shared out among its programmes by the assignment with the greatest
   sum of their scores (Hungarian method), so that they do not flood one object.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from services.classify.learning.targets.candidates import Candidates
from services.classify.learning.targets.facilities import Facility
from services.classify.learning.targets.visibility import Visits

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
_LIKENESS_SCALE = 0.35
Stratum = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """One place on a list."""

    row: int
    """Of the facility's candidates."""
    is_random: bool
    propensity: float
    score: float
    parts: dict[str, float]
    programme: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a facility can observe tonight."""

    candidates: Candidates
    visits: Visits
    mag: Floats
    """Expected at the visit, shape (n,)."""
    exposure_s: Floats
    strata: list[Stratum]


def seen_by(facility: Facility, pool: Candidates, when: Visits) -> Seen:
    """The candidates that are up, and within the facility's limits."""
    mag = pool.mag_at(when.mjd_utc)
    exposure = np.array([facility.exposure_s(m) for m in mag.tolist()])
    can = when.is_up & (mag <= facility.faintest_mag) & (mag >= facility.brightest_mag)
    can &= (exposure + facility.overhead_s <= 3_600.0 * facility.hours) & (
        exposure <= 3_600.0 * when.hours_up
    )
    keep = np.flatnonzero(can)
    part = pool.of(keep)
    visits = Visits(*(getattr(when, name)[keep] for name in Visits.__slots__))
    return Seen(part, visits, mag[keep], exposure[keep], part.strata(mag[keep]))


def choose(facility: Facility, seen: Seen, rng: np.random.Generator) -> list[Place]:
    """The facility's list, best first; random places stand at random ranks among the others."""
    n = len(seen.candidates)
    if n == 0:
        return []
    parts = _parts(facility, seen)
    score = np.asarray(parts["information"] * parts["visibility"] * parts["economy"] ** 0.25)
    budget = 3_600.0 * facility.hours
    cost = seen.exposure_s + facility.overhead_s
    room = min(facility.places, n)
    drawn = _drawn(rng, n, _random_places(room, facility.random_share), cost, budget)
    counts = _Quotas(facility, room, seen.strata)
    for row in drawn:
        counts.take(row)
    left = budget - float(cost[drawn].sum())
    chosen = _greedy(seen, score, cost, left, room - len(drawn), drawn, counts)
    # A short list (time ran out, quotas) must not be all luck: luck keeps its share.
    drawn = drawn[: max(_random_places(len(drawn) + len(chosen), facility.random_share), 0)]
    order = list(chosen)
    for row in drawn:
        order.insert(int(rng.integers(len(order) + 1)), row)
    programme = _programmes(facility, seen, parts, order, rng)
    luck = set(drawn)
    chance = len(drawn) / n
    return [
        Place(
            row=row,
            is_random=row in luck,
            propensity=min(chance, 1.0) if row in luck else 1.0,
            score=float(score[row]),
            parts={name: round(float(values[row]), 4) for name, values in parts.items()},
            programme=programme[row],
        )
        for row in order
    ]


def _random_places(places: int, share: float) -> int:
    """So many that they are between 15 and 20 %, if any number is."""
    least, most = math.ceil(0.15 * places - 1e-9), math.floor(0.2 * places + 1e-9)
    return min(max(round(share * places), least), most) if least <= most else round(share * places)


def _drawn(rng: np.random.Generator, n: int, size: int, cost: Floats, budget: float) -> list[int]:
    """Evenly at random, as long as they leave most of the night."""
    found: list[int] = []
    spent = 0.0
    for row in rng.permutation(n).tolist():
        if len(found) == size:
            break
        if spent + cost[row] <= 0.5 * budget:
            found.append(row)
            spent += float(cost[row])
    return found


class _Quotas:
    """Counts of places by class, magnitude and region."""

    def __init__(self, facility: Facility, places: int, strata: Sequence[Stratum]) -> None:
        shares = (facility.class_quota, facility.magnitude_quota, facility.region_quota)
        self._most = [max(math.ceil(share * places), 1) for share in shares]
        self._strata, self._counts = strata, Counter[tuple[int, str]]()

    def allow(self, row: int) -> bool:
        """Whether one more of its kinds may have a place."""
        own = self._strata[row]
        return all(self._counts[k, own[k]] < self._most[k] for k in range(3))

    def take(self, row: int) -> None:
        """Count a place."""
        self._counts.update((k, name) for k, name in enumerate(self._strata[row]))


def _greedy(
    seen: Seen, score: Floats, cost: Floats, budget: float, size: int, taken: Sequence[int],
    quotas: _Quotas,
) -> list[int]:  # fmt: skip
    places = seen.candidates.places()
    unlike = np.ones(len(score))
    is_free = np.ones(len(score), dtype=bool)
    is_free[list(taken)] = False
    found: list[int] = []
    while len(found) < size:
        worth = np.where(is_free & (cost <= budget), score * unlike, -1.0)
        row = int(worth.argmax())
        if worth[row] < 0.0:
            break
        is_free[row] = False
        if not quotas.allow(row):
            continue
        quotas.take(row)
        found.append(row)
        budget -= float(cost[row])
        distance = np.sqrt(((places - places[row]) ** 2).sum(axis=1))
        unlike = np.minimum(unlike, 1.0 - np.exp(-distance / _LIKENESS_SCALE))
    return found


def _parts(facility: Facility, seen: Seen) -> dict[str, Floats]:
    """What scores are made of, each in [0, 1]."""
    airmass = seen.visits.airmass
    visibility = np.clip(1.0 - 0.5 * (airmass - 1.0) / (facility.greatest_airmass - 1.0), 0.0, 1.0)
    economy = np.minimum(facility.overhead_s + 60.0, seen.exposure_s + facility.overhead_s)
    return {
        "information": np.clip(seen.candidates.information, 0.0, 1.0),
        "visibility": visibility,
        "economy": economy / (seen.exposure_s + facility.overhead_s),
    }


def _programmes(
    facility: Facility, seen: Seen, parts: dict[str, Floats], rows: Sequence[int],
    rng: np.random.Generator,
) -> dict[int, str]:  # fmt: skip
    """Which programme gets which object: each so many as its share."""
    names = [one.name for one in facility.programmes]
    shares = np.array([one.share for one in facility.programmes])
    exact = shares / shares.sum() * len(rows)
    counts = np.floor(exact).astype(int)
    for k in np.argsort(counts - exact, kind="stable")[: len(rows) - counts.sum()].tolist():
        counts[k] += 1
    owners = np.repeat(np.arange(len(names)), counts)
    own = seen.candidates
    value = np.zeros((len(owners), len(rows)))
    for k, programme in enumerate(facility.programmes):
        wanted = [i for i, name in enumerate(own.classes) if name in programme.classes]
        science = own.probabilities[rows][:, wanted].sum(axis=1) if wanted else np.zeros(len(rows))
        teach = parts["information"][list(rows)]
        w = programme.science_weight
        value[owners == k] = (1.0 - w) * teach + w * science
    value += 1e-6 * rng.random(value.shape)
    slots, places = linear_sum_assignment(value, maximize=True)
    return {
        rows[place]: names[owners[slot]]
        for slot, place in zip(slots.tolist(), places.tolist(), strict=True)
    }


def violations(facility: Facility, strata: Sequence[Stratum], places: int) -> int:
    """How many places a list of these strata has beyond its quotas, made of at most ``places``."""
    shares = (facility.class_quota, facility.magnitude_quota, facility.region_quota)
    over = 0
    for k, share in enumerate(shares):
        most = max(math.ceil(share * places), 1)
        counts = Counter(one[k] for one in strata)
        over += sum(max(count - most, 0) for count in counts.values())
    return over
