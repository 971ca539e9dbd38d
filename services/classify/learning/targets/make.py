"""A night's lists: visibility, choice, and the records that are published."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from services.classify.learning.targets.candidates import Candidates
from services.classify.learning.targets.choose import Place, Seen, choose, seen_by, violations
from services.classify.learning.targets.facilities import Facility
from services.classify.learning.targets.visibility import Night, night_at, visits
from shared.schemas.target import Target

_MJD_OF_UNIX = 40_587.0
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class NightLists:
    """All lists of a night."""

    targets: tuple[Target, ...]
    quota_violations: int
    dark: tuple[str, ...]
    """Facilities where it gets dark."""


def make_lists(
    facilities: Sequence[Facility],
    pool: Candidates,
    *,
    evening_mjd: int,
    model_id: str,
    made_ms: int,
    excluded: Set[str] = frozenset(),
    seed: int = 0,
) -> NightLists:
    """Lists for all facilities.

    Parameters
    ----------
    facilities
        With their programmes.
    pool
        Objects that are followed.
    evening_mjd
        The night: MJD of the evening.
    model_id
        Whose probabilities the pool has.
    made_ms
        Now, Unix milliseconds.
    excluded
        Objects that are classified, or claimed by others.
    seed
        Of the random places; with the night's number, so a list made again is the same.
    """
    taken = set(excluded)
    found: list[Target] = []
    over = 0
    ready = []
    for facility in facilities:
        night = night_at(facility, evening_mjd)
        if night is not None:
            when = visits(facility, night, pool.ra_deg, pool.dec_deg)
            ready.append((int(seen_by(facility, pool, when).mag.size), facility, night))
    for _, facility, night in sorted(ready, key=lambda one: (one[0], one[1].name)):
        free = pool.of(np.array([name not in taken for name in pool.object_id.tolist()], bool))
        seen = seen_by(facility, free, visits(facility, night, free.ra_deg, free.dec_deg))
        number = int.from_bytes(facility.name.encode()[-7:])
        places = choose(facility, seen, np.random.default_rng([seed, evening_mjd, number]))
        room = min(facility.places, len(seen.candidates))
        over += violations(facility, [seen.strata[one.row] for one in places], room)
        made = _records(facility, seen, places, night, evening_mjd, model_id, made_ms)
        taken |= {one.object_id for one in made}
        found += made
    return NightLists(tuple(found), over, tuple(facility.name for _, facility, _ in ready))


def _records(
    facility: Facility, seen: Seen, places: Sequence[Place], night: Night, evening_mjd: int,
    model_id: str, made_ms: int,
) -> list[Target]:  # fmt: skip
    own = seen.candidates
    expires = int((night.end_mjd_utc - _MJD_OF_UNIX) * _DAY_MS)
    records = []
    for rank, place in enumerate(places, start=1):
        k, best = place.row, int(own.predicted[place.row])
        records.append(
            Target(
                list_id=f"{facility.name}-{evening_mjd}-{model_id[:12]}",
                night=evening_mjd,
                facility=facility.name,
                programme=place.programme,
                rank=rank,
                survey=str(own.survey[k]) or None,
                object_id=str(own.object_id[k]),
                ra_deg=float(own.ra_deg[k]),
                dec_deg=float(own.dec_deg[k]),
                mag_now=round(float(own.mag_now[k]), 3),
                mag_predicted=round(float(seen.mag[k]), 3),
                band=str(own.band[k]) or None,
                exposure_s=round(float(seen.exposure_s[k]), 1),
                visit_mjd_utc=round(float(seen.visits.mjd_utc[k]), 5),
                airmass=round(float(seen.visits.airmass[k]), 3),
                moon_separation_deg=round(float(seen.visits.moon_deg[k]), 1),
                predicted_class=own.classes[best],
                predicted_probability=round(float(own.probabilities[k, best]), 4),
                reason=_reason(own, k, place),
                score=round(place.score, 5),
                score_parts=place.parts,
                is_random=place.is_random,
                propensity=place.propensity,
                stratum="/".join(seen.strata[k]),
                claimed_by=None,
                model_id=model_id,
                made_ms=made_ms,
                expires_ms=expires,
                is_simulated=bool(own.is_simulated[k]),
            )
        )
    return records


def _reason(own: Candidates, k: int, place: Place) -> str:
    if place.is_random:
        return "drawn at random, so that the sample stays representative"
    first, second = np.argsort(-own.probabilities[k])[:2].tolist()
    p = own.probabilities[k]
    return f"{own.classes[first]} {p[first]:.2f} or {own.classes[second]} {p[second]:.2f}"
