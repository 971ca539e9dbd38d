"""Alerts and records out of the archive's database, for notices that come late and for people."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

from services.mma.candidates import Candidates
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope
from shared.schemas.association import Association
from shared.schemas.notice import Notice
from shared.store import Collection, Store

_NIGHTS_AROUND = 1
"""The archive counts nights from noon at 90 degrees west; one more on each side is enough."""


async def archived_alerts(
    store: Store, surveys: list[str], since_mjd_tai: float, until_mjd_tai: float
) -> AsyncIterator[Candidates]:
    """Alerts whose exposure lies in [since, until), as the match needs them, block by block.

    An alert that stands in several envelopes comes several times. Envelopes that cannot be
    read any more are passed over: they are dead letters elsewhere.
    """
    nights = {
        "$gte": math.floor(since_mjd_tai) - 1 - _NIGHTS_AROUND,
        "$lte": math.floor(until_mjd_tai) + _NIGHTS_AROUND,
    }
    query = {"survey": {"$in": surveys}, "night": nights}
    async for document in store.stream(Collection.ENVELOPES, query, fields=["batch"]):
        try:
            batch = read_envelope(document["batch"])
        except RejectedRecordError:
            continue
        mjd = batch.floats("mjd_tai")
        wanted = (mjd >= since_mjd_tai) & (mjd < until_mjd_tai)
        if wanted.any():
            yield Candidates.of_alerts(batch.rows(wanted))


async def archived_notices(store: Store, event_id: str) -> list[Notice]:
    """Every notice of an event, by whatever names the event list knows it, in order of writing."""
    ids = [f"{role}/{event_id}" for role in ("observation", "test", "injection")]
    query = {"$or": [{"_id": {"$in": ids}}, {"names": event_id}]}
    listed = await store.find(Collection.EVENTS, query, fields=["names"])
    names = {event_id, *(name for one in listed for name in one.get("names", ()))}
    found = await store.find(Collection.NOTICES, {"key": {"$in": sorted(names)}})
    found.sort(key=lambda document: document["timestamp_ms"])
    return [Notice.from_json(document["value"]) for document in found]


async def archived_associations(store: Store, event_id: str) -> list[Association]:
    """What stands of an event's associations: the last statement about each, withdrawn ones out."""
    found = await store.find(Collection.ASSOCIATIONS, {"key": event_id})
    found.sort(key=lambda document: document["timestamp_ms"])
    last = {
        association.association_id: association
        for association in (Association.from_json(document["value"]) for document in found)
    }
    return [one for one in last.values() if one.state != "withdrawn"]
