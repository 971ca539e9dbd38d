"""Pages of a list: ``limit`` and an opaque ``cursor``, in every list of the API."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Depends, Query
from pydantic import BaseModel, Field

from services.portal.problems import ProblemError

LONGEST_PAGE = 1000
_LONGEST_CURSOR = 1024

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item] = Field(title="What was asked for, in order")
    next_cursor: str | None = Field(
        None, title="Give it as ?cursor= for what follows; null at the end"
    )


class Paging(BaseModel):
    """Where a page begins, and how long it may be."""

    limit: int
    after: tuple[str | int | float, ...] | None
    """What `cursor_after` was given for the last item of the page before; None at the start."""


def cursor_after(*place: str | int | float) -> str:
    """A cursor that stands behind an item, named by the values it is sorted by."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str | int | float, ...]:
    """What `cursor_after` was given.

    Raises
    ------
    ProblemError
        422, if it is none of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, UnicodeEncodeError) as error:
        raise ProblemError(422, "cursor: not one that this API gave") from error
    if not isinstance(place, list) or not 1 <= len(place) <= 4:
        raise ProblemError(422, "cursor: not one that this API gave")
    for value in place:
        is_text = isinstance(value, str) and len(value) <= _LONGEST_CURSOR
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_text and not (is_number and abs(value) < 2**63):
            raise ProblemError(422, "cursor: not one that this API gave")
    return tuple(place)


def _paging(
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Items per page")] = 100,
    cursor: Annotated[
        str | None,
        Query(max_length=_LONGEST_CURSOR, description="next_cursor of the page before"),
    ] = None,
) -> Paging:
    return Paging(limit=limit, after=None if cursor is None else read_cursor(cursor))


PagingQuery = Annotated[Paging, Depends(_paging)]
"""What a route takes to be paged: ``paging: PagingQuery``."""


def page_after(
    paging: Paging, field: str, *, descending: bool = False, tie: str = "_id"
) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    """MongoDB condition and sort for a page in order of ``field``, ties broken by ``tie``.

    Raises
    ------
    ProblemError
        422, if the cursor is of another list.
    """
    direction = -1 if descending else 1
    sort = [(field, direction)] if field == tie else [(field, direction), (tie, direction)]
    if paging.after is None:
        return {}, sort
    if len(paging.after) != len(sort):
        raise ProblemError(422, "cursor: of another list")
    beyond = "$lt" if descending else "$gt"
    if field == tie:
        return {field: {beyond: paging.after[0]}}, sort
    value, key = paging.after
    return {"$or": [{field: {beyond: value}}, {field: value, tie: {beyond: key}}]}, sort


def one_page(
    documents: Sequence[dict[str, Any]], paging: Paging, *sorted_by: str
) -> tuple[list[dict[str, Any]], str | None]:
    """Cut ``limit + 1`` documents to a page, and say where the next begins."""
    page = list(documents[: paging.limit])
    if len(documents) <= paging.limit or not page:
        return page, None
    return page, cursor_after(*(page[-1][name] for name in sorted_by))
