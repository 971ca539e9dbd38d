"""``/targets``: ranked lists of what a facility should take spectra of."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ValidationError

from services.portal.backends import BackendsOf
from services.portal.callers import Anyone
from services.portal.paging import Page, PagingQuery, one_page, page_after
from services.portal.reading.seen import Sight
from shared.schemas.target import Target
from shared.store import Collection, Document

router = APIRouter(prefix="/targets", tags=["targets"])


@router.get("")
async def targets(
    caller: Anyone,
    backends: BackendsOf,
    paging: PagingQuery,
    night: Annotated[
        int | None, Query(ge=0, le=200_000, description="MJD of the evening", examples=[61000])
    ] = None,
    facility: Annotated[str | None, Query(max_length=80)] = None,
) -> Page[Target]:
    """Places on the lists, the newest list first."""
    condition, sort = page_after(paging, "timestamp_ms", descending=True)
    sight = Sight.of(caller, backends.settings)
    only: dict[str, object] = {} if night is None else {"key": str(night)}
    if facility is not None:
        only["fields.facility"] = facility
    documents = await backends.store.find(
        Collection.TARGETS, {**condition, **sight.only_seen("fields.survey"), **only},
        fields=["value", "timestamp_ms"], sort=sort, limit=paging.limit + 1,
    )  # fmt: skip
    page, cursor = one_page(documents, paging, "timestamp_ms", "_id")
    found = [target for target in map(_target, page) if target is not None]
    return Page(items=found, next_cursor=cursor)


def _target(document: Document) -> Target | None:
    try:
        return Target.from_json(document["value"])
    except ValidationError:
        return None
