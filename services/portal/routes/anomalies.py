"""``/anomalies``: what is most anomalous to the caller, by the caller's own votes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.portal.backends import BackendsOf
from services.portal.callers import SignedIn
from services.portal.paging import Page, PagingQuery, one_page
from services.portal.problems import ProblemError
from services.portal.reading.seen import Sight
from shared.store import Collection

router = APIRouter(prefix="/anomalies", tags=["labels"])


class Reason(BaseModel):
    """A feature that an object stands out by."""

    feature: str = Field(title="Name of the feature, as in docs/data-dictionary.md")
    share: float = Field(title="How much the score falls if it were ordinary")


class Anomaly(BaseModel):
    """One object on the caller's list."""

    rank: int = Field(title="1 is the most anomalous")
    object_id: str = Field(title="The survey's name of it")
    survey: str | None = Field(None, title="Whose name it is")
    score: float = Field(title="Larger is more anomalous; to compare within one list only")
    reasons: list[Reason] = Field(title="What it stands out by, the most important first")


class AnomalyPage(Page[Anomaly]):
    """A page of the caller's list, and what the list is made of."""

    at_ms: int | None = Field(None, title="When the list was made, Unix ms; null: there is none")
    objects: int = Field(0, title="Objects that it was chosen from")


@router.get("")
async def anomalies(caller: SignedIn, backends: BackendsOf, paging: PagingQuery) -> AnomalyPage:
    """The caller's own list, the most anomalous first; it follows a vote within seconds.

    Empty before the first vote (`POST /votes`), and where the worker of votes does not run.
    """
    found = await backends.store.find(
        Collection.ANOMALY_LISTS, {"_id": caller.name}, fields=["at_ms", "objects", "top"], limit=1
    )
    if not found:
        return AnomalyPage(items=[])
    sight = Sight.of(caller, backends.settings)
    ranked = [
        {**one, "rank": rank}
        for rank, one in enumerate(found[0]["top"], start=1)
        if _is_seen(sight, one)
    ]
    page, cursor = one_page(_beyond(ranked, paging), paging, "rank")
    return AnomalyPage(
        items=[Anomaly.model_validate(one) for one in page], next_cursor=cursor,
        at_ms=found[0]["at_ms"], objects=found[0]["objects"],
    )  # fmt: skip


def _is_seen(sight: Sight, one: dict[str, Any]) -> bool:
    """Lists made by older workers do not say whose objects they hold."""
    if one.get("survey") is None:
        return not sight.hidden_surveys
    return sight.sees(one["survey"])


def _beyond(ranked: list[dict[str, Any]], paging: PagingQuery) -> list[dict[str, Any]]:
    """What follows the page before, by rank: the list may have been made anew in between."""
    if paging.after is None:
        return ranked
    if len(paging.after) != 1 or not isinstance(paging.after[0], int):
        raise ProblemError(422, "cursor: of another list")
    last = paging.after[0]
    return [one for one in ranked if one["rank"] > last]
