"""The objects among an event's associated alerts, ranked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from shared.schemas.association import Association
from shared.schemas.event import EventCandidate

MAX_CANDIDATES = 20
"""Objects listed with an event; all of them are on ``associations``."""


@dataclass(frozen=True, slots=True)
class Best:
    """An alert with what its object is ranked by, the smallest first."""

    association: Association
    credible_level: float
    time_offset_days: float
    order: tuple[float, ...]


def by_evidence(association: Association) -> Best:
    """Ranked by Bayes factor; what was told without one comes last, by credible level."""
    evidence = -math.inf if association.ln_bayes is None else association.ln_bayes
    level = association.credible_level
    return Best(association, level, association.time_offset_days, (-evidence, level))


def best_of_objects(alerts: Iterable[Best]) -> list[tuple[Best, int]]:
    """Each object's best alert and how many it has, the best object first."""
    best: dict[tuple[str, str], tuple[Best, int]] = {}
    for one in alerts:
        key = one.association.survey, one.association.object_id
        known, count = best.get(key, (one, 0))
        best[key] = (min(known, one, key=_order), count + 1)
    return sorted(best.values(), key=lambda pair: _order(pair[0]))


def ranked(alerts: Iterable[Best]) -> tuple[EventCandidate, ...]:
    """The best objects, as they are told."""
    return tuple(
        _candidate(place + 1, one, count)
        for place, (one, count) in enumerate(best_of_objects(alerts)[:MAX_CANDIDATES])
    )


def _order(one: Best) -> tuple[object, ...]:
    return (*one.order, one.association.survey, one.association.alert_id)


def _candidate(rank: int, one: Best, alerts: int) -> EventCandidate:
    a = one.association
    return EventCandidate(
        rank=rank,
        survey=a.survey,
        object_id=a.object_id,
        alert_id=a.alert_id,
        is_simulated=a.is_simulated,
        alerts=alerts,
        ra_deg=a.ra_deg,
        dec_deg=a.dec_deg,
        tier=a.tier,
        credible_level=one.credible_level,
        time_offset_days=one.time_offset_days,
        p_local=a.p_local,
        joint_far_hz=a.joint_far_hz,
        ln_bayes=a.ln_bayes,
    )
