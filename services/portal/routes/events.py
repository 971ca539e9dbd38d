"""``/events`` and ``/associations``: other messengers, and alerts that may belong to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from services.portal.backends import BackendsOf
from services.portal.callers import Anyone
from services.portal.formats.answers import json_answer
from services.portal.paging import Page, PagingQuery, one_page, page_after
from services.portal.problems import not_found
from services.portal.reading.alerts import LONGEST_ID
from services.portal.reading.events import Events, candidates_of, last_issued
from services.portal.reading.seen import Sight
from shared.store import Collection

router = APIRouter(tags=["events"])

EventId = Annotated[
    str, Path(max_length=LONGEST_ID, description="As in its notices", examples=["S190425z"])
]


@router.get("/events", response_model=Page[dict[str, Any]])
async def events(caller: Anyone, backends: BackendsOf, paging: PagingQuery) -> Response:
    """Events, the latest first by the time of the event, each as its newest notice tells it."""
    del caller
    found, cursor = await Events(backends.store).newest(paging)
    return json_answer({"items": found, "next_cursor": cursor})


@router.get("/events/{event_id}", response_model=dict[str, Any])
async def event(event_id: EventId, caller: Anyone, backends: BackendsOf) -> Response:
    """An event: how it stands, its newest notice, and all of them as they came, no payloads."""
    reading = Events(backends.store)
    notices = await reading.notices(event_id)
    state = await reading.state(event_id, Sight.of(caller, backends.settings))
    if not notices and state is None:
        raise not_found(f"event {event_id}")
    latest = last_issued(notices) if notices else None
    return json_answer({"event_id": event_id, "state": state, "latest": latest, "notices": notices})


@router.get("/events/{event_id}/associations", response_model=list[dict[str, Any]])
async def candidates(event_id: EventId, caller: Anyone, backends: BackendsOf) -> Response:
    """Alerts that may belong to the event, the most likely first, as things stand now."""
    sight = Sight.of(caller, backends.settings)
    return json_answer(await candidates_of(backends.store, sight, event_id))


@router.get("/associations", response_model=Page[dict[str, Any]])
async def associations(
    caller: Anyone,
    backends: BackendsOf,
    paging: PagingQuery,
    object_id: Annotated[str | None, Query(max_length=LONGEST_ID)] = None,
) -> Response:
    """Everything that was said about alerts and events, newest first."""
    condition, sort = page_after(paging, "timestamp_ms", descending=True)
    sight = Sight.of(caller, backends.settings)
    only = {} if object_id is None else {"fields.object_id": object_id}
    documents = await backends.store.find(
        Collection.ASSOCIATIONS, {**condition, **sight.only_seen("fields.survey"), **only},
        fields=["fields", "timestamp_ms"], sort=sort, limit=paging.limit + 1,
    )  # fmt: skip
    page, cursor = one_page(documents, paging, "timestamp_ms", "_id")
    return json_answer({"items": [one["fields"] for one in page], "next_cursor": cursor})
