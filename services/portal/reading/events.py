"""Events of other messengers, as their notices tell them."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import ValidationError

from services.portal.paging import Paging, cursor_after
from services.portal.problems import ProblemError
from services.portal.reading.seen import Sight
from shared.schemas.event import EventRecord
from shared.schemas.notice import Notice, Role
from shared.store import Collection, Document, Store

_MOST_LOOKED_AT = 1000
_SUMMARY = (
    "notice_id", "notice_type", "messenger", "event_id", "aliases", "role", "alert_kind", "serial",
    "issued_ms", "received_ms", "event_time", "event_mjd_tai", "ivorn", "localization",
    "sky_map_url", "far_hz", "significant", "classification", "instruments",
)  # fmt: skip
"""Members of a notice that are shown: all but its payload."""
_OVER_ALL_SURVEYS = ("alerts", "objects", "withdrawn", "tiers")
"""Members of an event that count alerts, whoever may see them."""


def _summary_of(value: bytes) -> dict[str, Any] | None:
    """A notice without its payload; None if it is none of ours."""
    try:
        notice = Notice.from_json(value)
    except ValidationError:
        return None
    return notice.model_dump(mode="json", include=set(_SUMMARY))


class Events:
    """Reads events; remembers what it has parsed, since a notice never changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, Any] | None] = {}

    async def newest(self, paging: Paging) -> tuple[list[dict[str, Any]], str | None]:
        """Events in order of their latest notice, newest first; each as that notice tells it."""
        query: dict[str, Any] = {}
        if paging.after is not None:
            if len(paging.after) != 1 or not isinstance(paging.after[0], int):
                raise ProblemError(422, "cursor: of another list")
            query["timestamp_ms"] = {"$lt": paging.after[0]}
        found = await self._store.find(
            Collection.NOTICES, query, fields=["key", "timestamp_ms"],
            sort=[("timestamp_ms", -1), ("_id", -1)], limit=_MOST_LOOKED_AT,
        )  # fmt: skip
        latest: dict[str, Document] = {}
        for document in found:
            latest.setdefault(document["key"], document)
        shown_before = await self._with_later_notice(list(latest), paging)
        page = [one for key, one in latest.items() if key not in shown_before][: paging.limit]
        events = [event for event in [await self._summary(one["_id"]) for one in page] if event]
        is_more = len(page) == paging.limit or len(found) == _MOST_LOOKED_AT
        last = page[-1] if len(page) == paging.limit else found[-1] if found else None
        cursor = cursor_after(last["timestamp_ms"]) if is_more and last is not None else None
        return events, cursor

    async def _with_later_notice(self, keys: list[str], paging: Paging) -> set[str]:
        """Those that stood on an earlier page."""
        if paging.after is None or not keys:
            return set()
        query = {"key": {"$in": keys}, "timestamp_ms": {"$gte": paging.after[0]}}
        later = await self._store.find(Collection.NOTICES, query, fields=["key"])
        return {document["key"] for document in later}

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
