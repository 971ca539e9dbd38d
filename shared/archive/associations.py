"""Which events an object may belong to: one line per event, what stands before what does not."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Fields = dict[str, Any]


def distinct_associations(records: Iterable[Fields]) -> list[Fields]:
    """One statement per event, those most worth reading first.

    Parameters
    ----------
    records
        Scalars of records of ``associations`` about one object, in order of writing.

    Returns
    -------
    Of each event the best alert's newest statement: what stands before what was withdrawn, real
    events before tests, then by ln_bayes and by credible level.
    """
    newest: dict[tuple[str, str, str], Fields] = {}
    for one in records:
        event = str(one.get("event_role", "")), str(one.get("event_id", ""))
        key = (*event, str(one.get("alert_id", "")))
        newest.pop(key, None)  # so that it stands where its newest statement does
        newest[key] = one
    best: dict[tuple[str, str], Fields] = {}
    for (role, event_id, _), one in reversed(newest.items()):
        known = best.setdefault((role, event_id), one)
        if _order(one) < _order(known):
            best[role, event_id] = one
    return sorted(best.values(), key=_order)


def is_standing(association: Fields) -> bool:
    """Whether it was not taken back."""
    return bool(association.get("state") != "withdrawn")


def is_of_a_test(association: Fields) -> bool:
    """Whether its event is not one that happened: a test, a drill."""
    return bool(association.get("event_role", "observation") != "observation")


def _order(one: Fields) -> tuple[bool, bool, float, float]:
    evidence, level = one.get("ln_bayes"), one.get("credible_level")
    return (
        not is_standing(one),
        is_of_a_test(one),
        -evidence if isinstance(evidence, float) else math.inf,
        level if isinstance(level, float) else math.inf,
    )
