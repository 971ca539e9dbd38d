"""``/subscriptions/{identity}/deliveries``: what became of every message a subscription wanted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.portal.backends import BackendsOf
from services.portal.callers import SignedIn
from services.portal.paging import Page, PagingQuery, one_page, page_after
from services.portal.routes.subscriptions import Identity, found
from shared.store import Collection
from shared.subscriptions.subscription import Delivery, DeliveryState

router = APIRouter(prefix="/subscriptions/{identity}/deliveries", tags=["deliveries"])


class DeliveryKept(BaseModel):
    """One delivery; the message itself is not kept once it is settled."""

    delivery_id: str = Field(title="Its identity")
    subject: str = Field(title="Alert, association or target")
    object_id: str = Field(title="The survey's object, where there is one")
    state: str = Field(title="queued, sending, sent, confirmed or failed")
    reason: str = Field(title="Why it failed, or why it waits")
    reference: str = Field(title="What the peer calls it")
    tries: int = Field(title="Attempts so far")
    queued_ms: int = Field(title="When it was written down, Unix time, milliseconds")
    sending_ms: int | None = Field(title="When the last attempt began")
    settled_ms: int | None = Field(title="When it was confirmed or failed")


class Tally(BaseModel):
    """How many deliveries are in each state."""

    counts: dict[str, int] = Field(title="By state")


@router.get("")
async def deliveries(
    identity: Identity,
    caller: SignedIn,
    backends: BackendsOf,
    paging: PagingQuery,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state")] = None,
) -> Page[DeliveryKept]:
    """Deliveries of a subscription, newest first."""
    await found(identity, caller, backends)
    condition, sort = page_after(paging, "queued_ms", descending=True)
    only: dict[str, Any] = {"subscription_id": identity}
    if state is not None:
        only["state"] = state
    documents = await backends.store.find(
        Collection.DELIVERIES, {"$and": [condition, only]}, sort=sort, limit=paging.limit + 1
    )
    page, cursor = one_page(documents, paging, "queued_ms", "_id")
    items = [DeliveryKept(**Delivery.from_document(one).told()) for one in page]
    return Page(items=items, next_cursor=cursor)


@router.get("/tally")
async def tally(identity: Identity, caller: SignedIn, backends: BackendsOf) -> Tally:
    """How many are queued, being sent, sent, confirmed and failed."""
    await found(identity, caller, backends)
    states: tuple[DeliveryState, ...] = ("queued", "sending", "sent", "confirmed", "failed")
    counts: dict[str, int] = {}
    for state in states:
        query = {"subscription_id": identity, "state": state}
        counts[state] = await backends.store.count(Collection.DELIVERIES, query)
    return Tally(counts=counts)
