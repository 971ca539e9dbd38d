"""``/filters/{name}/stream``: what a filter sends, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone, Caller
from services.portal.problems import ProblemError, not_found
from services.portal.reading.outs import may_read, require_readable
from services.portal.reading.seen import Sight
from services.portal.reading.streams import Schemas, events_of, record_of
from services.portal.reading.topics import Offsets, place_text, read_place
from shared.errors import UpstreamUnavailableError
from shared.kafka.topics import out_topic

log = structlog.get_logger()
router = APIRouter(prefix="/filters", tags=["streams"])
_LONGEST_S = 6 * 3600.0
"""Then the client is to come again, with Last-Event-ID."""
_STUCK_S = 60.0
"""A client that takes nothing for so long is let go."""

FilterName = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$", description="The filter", examples=["rising"])
]


class EventStream(StreamingResponse):
    """A stream that counts as one of the caller's, and ends when the client takes nothing."""

    def __init__(self, events: AsyncIterator[bytes], backends: Backends, key: str) -> None:
        super().__init__(events, media_type="text/event-stream")
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"
        self._backends = backends
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end; refuse if there are too many streams."""

        async def patient_send(message: Any) -> None:
            await asyncio.wait_for(send(message), _STUCK_S)

        with self._backends.limits.stream(self._key):
            try:
                await super().__call__(scope, receive, patient_send)
            except TimeoutError:
                log.info("portal_stream_stuck")


@router.get(
    "/{name}/stream", response_class=Response,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def stream(
    name: FilterName,
    request: Request,
    caller: Anyone,
    backends: BackendsOf,
    since: Annotated[
        str,
        Query(pattern="^(latest|earliest)$", description="Where to begin without Last-Event-ID"),
    ] = "latest",
    last_event_id: Annotated[
        str | None, Header(max_length=2000, description="id of the last event that came")
    ] = None,
) -> Response:
    """A filter's alerts as they come: ``id`` to go on behind, ``data`` one JSON object.

    A comment line comes every 15 seconds, so that silence means that the line is broken. After
    six hours the stream ends; clients come again with ``Last-Event-ID`` and miss nothing.
    """
    await require_readable(backends.store, caller, name)
    topic = out_topic(name, backends.settings.topic_prefix)
    if not await backends.topics.has(topic):
        raise not_found(f"stream of filter {name}")
    try:
        start = None if not last_event_id else read_place(last_event_id)
    except ValueError as error:
        raise ProblemError(422, "Last-Event-ID: not one that this stream gave") from error

    async def is_allowed() -> bool:
        return await _still_allowed(request, caller, backends, name)

    events = _events(backends, caller, topic, start, since == "earliest", is_allowed)
    return EventStream(events, backends, caller.key)


async def _events(
    backends: Backends,
    caller: Caller,
    topic: str,
    start: Offsets | None,
    earliest: bool,
    is_allowed: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    sight = Sight.of(caller, backends.settings)
    schemas = Schemas(backends.store)
    ends_s = time.monotonic() + _LONGEST_S
    checked_s = time.monotonic()
    yield b"retry: 3000\n\n"
    try:
        async for message, place in events_of(backends.settings, topic, start, earliest=earliest):
            now_s = time.monotonic()
            if now_s > ends_s:
                return
            if now_s - checked_s > 10.0:
                checked_s = now_s
                if not await is_allowed():
                    return
            if message is None:
                yield f"id: {place_text(place)}\n: alive\n\n".encode()
                continue
            record = await record_of(message, schemas, sight)
            if record is not None:
                yield _event(record, place)
    except UpstreamUnavailableError:
        return  # the client comes again by itself


def _event(record: dict[str, Any], place: Offsets) -> bytes:
    content = orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
    return b"id: " + place_text(place).encode() + b"\nevent: alert\ndata: " + content + b"\n\n"


async def _still_allowed(request: Request, caller: Caller, backends: Backends, name: str) -> bool:
    """Whether the token is still valid and the filter still the caller's to read."""
    if not caller.is_anonymous:
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        if await backends.accounts.account_of(token) is None:
            return False
    return await may_read(backends.store, caller, name)
