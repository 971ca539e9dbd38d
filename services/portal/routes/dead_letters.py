"""``/dead-letters``: what could not go on, and why; for operators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import ValidationError

from services.portal.backends import BackendsOf
from services.portal.callers import Operator
from services.portal.formats.answers import json_answer
from services.portal.paging import Page, PagingQuery, cursor_after
from services.portal.problems import ProblemError
from services.portal.reading.topics import last_messages, place_text, read_place
from shared.kafka.topics import Topic
from shared.schemas.dead_letter import DeadLetter

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


@router.get("", response_model=Page[dict[str, Any]])
async def dead_letters(
    caller: Operator,
    backends: BackendsOf,
    paging: PagingQuery,
    stage: Annotated[str | None, Query(max_length=40, description="Only of this service")] = None,
    reason: Annotated[str | None, Query(max_length=80, description="Only for this reason")] = None,
) -> Response:
    """Dead letters, newest first, without their payloads. A page with a filter may be short."""
    del caller
    before = None
    if paging.after is not None:
        try:
            before = read_place(str(paging.after[0]))
        except ValueError as error:
            raise ProblemError(422, "cursor: of another list") from error
    topic = Topic.DEAD_LETTERS.named(backends.settings.topic_prefix)
    messages, begin = await last_messages(backends.settings, topic, paging.limit, before)
    letters = [letter for letter in map(_letter, messages) if letter is not None]
    shown = [
        letter.model_dump(mode="json", exclude={"payload"})
        for letter in letters
        if stage in (None, letter.stage) and reason in (None, letter.reason)
    ]
    cursor = cursor_after(place_text(begin)) if begin else None
    return json_answer({"items": shown, "next_cursor": cursor})


def _letter(message: Any) -> DeadLetter | None:
    try:
        return DeadLetter.from_json(message.value or b"")
    except ValidationError:
        return None
