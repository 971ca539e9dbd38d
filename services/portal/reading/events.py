"""Events of other messengers, as their notices tell them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import ValidationError

from services.portal.paging import Paging, cursor_after
from services.portal.problems import ProblemError
from services.portal.reading.seen import Sight
from shared.schemas.event import EventRecord
from shared.schemas.notice import Notice, Role
from shared.store import Collection, Store

_MOST_LOOKED_AT = 1000
_SUMMARY = (
    "notice_id", "notice_type", "messenger", "event_id", "aliases", "role", "alert_kind", "serial",
    "issued_ms", "received_ms", "event_time", "event_mjd_tai", "ivorn", "localization",
    "sky_map_url", "far_hz", "significant", "classification", "instruments",
)  # fmt: skip
"""Members of a notice that are shown: all but its payload."""
_TIME = "fields.event_mjd_tai"
_OVER_ALL_SURVEYS = ("alerts", "objects", "withdrawn", "tiers")
"""Members of an event that count alerts, whoever may see them."""


def _summary_of(value: bytes) -> dict[str, Any] | None:
    """A notice without its payload; None if it is none of ours."""
    try:
        notice = Notice.from_json(value)
    except ValidationError:
        return None
    return notice.model_dump(mode="json", include=set(_SUMMARY))


def _beyond(paging: Paging) -> dict[str, Any]:
    """Condition for what stands behind a place in the list of events."""
    is_told: dict[str, Any] = {"key": {"$type": "string"}, _TIME: {"$type": "number"}}
    if paging.after is None:
        return is_told
    if [isinstance(part, str) for part in paging.after] != [False, True]:
        raise ProblemError(422, "cursor: of another list")
    mjd_tai, key = paging.after
    return {**is_told, "$or": [{_TIME: {"$lt": mjd_tai}}, {_TIME: mjd_tai, "key": {"$lt": key}}]}


class Events:
    """Reads events; remembers what it has parsed, since a notice never changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, Any] | None] = {}

    async def newest(self, paging: Paging) -> tuple[list[dict[str, Any]], str | None]:
        """Events by their own time, the latest first; each as its last-issued notice tells it.

        A notice that is sent again, or comes late, so moves nothing to the top. Where notices of
        one event name several times, the latest of them counts.
        """
        found = await self._store.find(
            Collection.NOTICES, _beyond(paging), fields=["key", _TIME],
            sort=[(_TIME, -1), ("key", -1)], limit=_MOST_LOOKED_AT,
        )  # fmt: skip
        places = {one["key"]: one["fields"]["event_mjd_tai"] for one in reversed(found)}
        in_order = list(dict.fromkeys(one["key"] for one in found))
        shown_before = await self._shown_before(in_order, paging)
        page = [key for key in in_order if key not in shown_before][: paging.limit]
        latest = await self._last_issued(page)
        events = [event for event in [await self._summary(latest[key]) for key in page] if event]
        is_more = len(page) == paging.limit or len(found) == _MOST_LOOKED_AT
        last = page[-1] if len(page) == paging.limit else in_order[-1] if in_order else None
        cursor = cursor_after(places[last], last) if is_more and last is not None else None
        return events, cursor

    async def _shown_before(self, keys: list[str], paging: Paging) -> set[str]:
        """Those that stood on an earlier page, by a later time of theirs."""
        if paging.after is None or not keys:
            return set()
        mjd_tai, key = paging.after
        earlier = {"$or": [{_TIME: {"$gt": mjd_tai}}, {_TIME: mjd_tai, "key": {"$gte": key}}]}
        query: dict[str, Any] = {"key": {"$in": keys}, **earlier}
        found = await self._store.find(Collection.NOTICES, query, fields=["key"])
        return {document["key"] for document in found}

    async def _last_issued(self, keys: list[str]) -> dict[str, str]:
        """Place of the notice that each event's author wrote last, by event."""
        found = await self._store.find(
            Collection.NOTICES, {"key": {"$in": keys}},
            fields=["key", "fields.issued_ms", "timestamp_ms"],
        )  # fmt: skip
        found.sort(key=lambda one: (one["fields"].get("issued_ms", 0), one["timestamp_ms"]))
        return {one["key"]: one["_id"] for one in found}

    async def notices(self, event_id: str) -> list[dict[str, Any]]:
        """The notices of an event in order of writing, without their payloads."""
        found = await self._store.find(
            Collection.NOTICES, {"key": event_id}, fields=["_id", "timestamp_ms"],
            sort=[("timestamp_ms", 1)], limit=500,
        )  # fmt: skip
        told = [await self._summary(document["_id"]) for document in found]
        return [notice for notice in told if notice]

    async def state(self, event_id: str, sight: Sight) -> dict[str, Any] | None:
        """The event as all its notices leave it, found by any of its names; None if unknown.

        What is counted over all surveys' alerts is left out where the caller does not see all.
        """
        keys = [f"{role}/{event_id}" for role in get_args(Role)]
        names = {"$or": [{"names": event_id}, {"_id": {"$in": keys}}]}
        found = await self._store.find(
            Collection.EVENTS, names, fields=["value"], sort=[("_id", -1)], limit=1
        )
        if not found:
            return None
        try:
            event = EventRecord.from_json(found[0]["value"])
        except ValidationError:
            return None
        told = event.model_dump(mode="json")
        told["candidates"] = [one for one in told["candidates"] if sight.sees(one["survey"])]
        if sight.hidden_surveys:
            told |= dict.fromkeys(_OVER_ALL_SURVEYS)
        return told

    async def _summary(self, place: str) -> dict[str, Any] | None:
        if place not in self._known:
            document = await self._store.find_one(Collection.NOTICES, {"_id": place})
            if len(self._known) >= 4096:
                self._known.clear()
            self._known[place] = _summary_of(document["value"]) if document else None
        return self._known[place]


def last_issued(notices: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The notice that the event's author wrote last, whenever it came."""
    return max(notices, key=lambda one: int(one["issued_ms"]))


async def candidates_of(store: Store, sight: Sight, event_id: str) -> list[dict[str, Any]]:
    """What stands of an event's associations, the most likely first; withdrawn ones left out."""
    query = {"key": event_id, **sight.only_seen("fields.survey")}
    last: dict[tuple[str, str], dict[str, Any]] = {}
    async for document in store.stream(
        Collection.ASSOCIATIONS, query, fields=["fields"], sort=[("timestamp_ms", 1)], limit=20_000
    ):
        fields = document["fields"]
        last[fields.get("survey", ""), fields.get("alert_id", "")] = fields
    standing = [one for one in last.values() if one.get("state") != "withdrawn"]
    return sorted(standing, key=lambda one: -(one.get("ln_bayes") or -1e9))
