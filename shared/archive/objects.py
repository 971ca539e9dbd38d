"""Objects that matter: those with an association, or a label that says where they are.

They have a document of their own in the database, found by name and by place
(``shared/archive/cones.py``). Every alert of every object is found by name in the envelopes, and
by place in the packed nights (``shared/archive/alerts.py``). That somebody read about an object,
or a filter sent it, is not kept here: the one would let every reader write to the database, the
other would tell what private filters find, and the envelopes answer both as fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ASSOCIATED, LABELLED = "associated", "labelled"
"""Reasons why an object matters."""
_KEPT = ("survey", "object_id", "ra_deg", "dec_deg", "healpix29", "is_simulated")


def object_key(survey: str, object_id: str) -> str:
    """``_id`` of an object's document."""
    return f"{survey}:{object_id}"


def object_update(
    alert: Mapping[str, Any], reason: str, event_ids: Iterable[str] = ()
) -> dict[str, Any]:
    """The update of an object's document by one of its alerts; may be applied again and again.

    Sets grow, extremes widen; place and survey are the alert's.
    """
    return {
        "$setOnInsert": {"survey": alert["survey"], "object_id": alert["object_id"]},
        "$set": {name: alert[name] for name in _KEPT[2:]},
        "$addToSet": {
            "reasons": {"$each": [reason]},
            "event_ids": {"$each": sorted(set(event_ids))},
        },
        "$min": {"first_mjd_tai": alert["mjd_tai"]},
        "$max": {"last_mjd_tai": alert["mjd_tai"]},
    }
