"""What has been told about pairs of alerts and events, and what must be told now.

The ``associations`` topic is the truth: the ledger is rebuilt from it, so nothing is told twice
after a restart, and whatever a crash left untold is told then.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from services.mma.events import EventKey
from shared.schemas.association import Association

_VETOED = 1e6
"""More than any sum of factors."""
SAME_LEVEL = 1e-6
"""Credible levels (and days, and degrees) closer than this are no news."""


class Ledger:
    """The last statement about each pair.

    Parameters
    ----------
    max_associations
        Pairs kept; beyond, whole events go, the first that was told of first.
    """

    def __init__(self, max_associations: int) -> None:
        self._max_associations = max_associations
        self._told: dict[EventKey, dict[str, Association]] = {}
        self._size = 0

    def __len__(self) -> int:
        """How many pairs are kept."""
        return self._size

    def observe(self, association: Association) -> None:
        """Take note of what was told; an older version never replaces a newer one."""
        pairs = self._told.setdefault((association.event_role, association.event_id), {})
        known = pairs.get(association.association_id)
        if known is not None and known.event_version > association.event_version:
            return
        self._size += known is None
        pairs[association.association_id] = association
        while self._size > self._max_associations and len(self._told) > 1:
            self._size -= len(self._told.pop(next(iter(self._told))))

    def standing(self, key: EventKey) -> list[Association]:
        """What was told of an event and not withdrawn."""
        return [a for a in self._told.get(key, {}).values() if a.state != "withdrawn"]

    def withdrawn(self, key: EventKey) -> int:
        """How many of an event's pairs were withdrawn."""
        return sum(a.state == "withdrawn" for a in self._told.get(key, {}).values())

    def ranked(self, found: Iterable[Association]) -> list[Association]:
        """``found`` with each one's place by Bayes factor among all that stand for its event."""
        here = list(found)
        scores: dict[EventKey, dict[str, float]] = {}
        for one in here:
            key = (one.event_role, one.event_id)
            if key not in scores:
                scores[key] = {a.association_id: _score(a) for a in self.standing(key)}
            scores[key][one.association_id] = _score(one)
        ordered = {key: np.sort(list(of.values()))[::-1] for key, of in scores.items()}
        ranked = []
        for one in here:
            better = np.searchsorted(-ordered[one.event_role, one.event_id], -_score(one))
            ranked.append(one.model_copy(update={"rank": int(better) + 1}))
        return ranked

    def news(self, found: Iterable[Association]) -> list[Association]:
        """Of what is found now, that which was not told yet: new pairs and changed ones."""
        told = []
        for association in found:
            key = (association.event_role, association.event_id)
            known = self._told.get(key, {}).get(association.association_id)
            if known is None or known.state == "withdrawn":
                told.append(association)
            elif _has_changed(known, association):
                told.append(
                    association.model_copy(
                        update={
                            "state": "updated",
                            "reason": "a newer notice of the event",
                            "previous_notice_id": known.notice_id,
                        }
                    )
                )
        return told

    def withdrawals(
        self, key: EventKey, still_found: Iterable[Association], version: int, reason: str
    ) -> list[Association]:
        """Withdraw what stands for an event and is not among ``still_found``."""
        kept = {association.association_id for association in still_found}
        return [
            known.model_copy(
                update={
                    "state": "withdrawn",
                    "reason": reason,
                    "event_version": max(version, known.event_version),
                }
            )
            for known in self.standing(key)
            if known.association_id not in kept
        ]


def _score(association: Association) -> float:
    """Ln of the Bayes factor; what is vetoed comes after all else, what has none last."""
    if association.ln_bayes is None:
        return -np.inf
    return association.ln_bayes - (_VETOED if association.tier == "vetoed" else 0.0)


def _has_changed(known: Association, found: Association) -> bool:
    pairs = (
        (known.credible_level, found.credible_level),
        (known.time_offset_days, found.time_offset_days),
        (known.separation_deg or 0.0, found.separation_deg or 0.0),
    )
    return any(abs(before - now) > SAME_LEVEL for before, now in pairs)
