"""ETags: a client that has an answer already is told so, and sent nothing (RFC 9110, 8.8.3)."""

from __future__ import annotations

import hashlib
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 8 * 2**20
"""Larger answers are sent without."""


class ETags:
    """ASGI middleware, inside of compression: what GET gives in one piece gets a weak ETag."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        known = next((v for k, v in scope["headers"] if k == b"if-none-match"), b"")
        start: Message | None = None

        async def hold(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None and message["type"] == "http.response.body":
                head, start = start, None
                if _may_have_one(head, message):
                    head, message = _with_etag(head, message, known)
                await send(head)
            await send(message)

        await self._app(scope, receive, hold)


def _may_have_one(head: Message, body: Message) -> bool:
    names = {name.lower() for name, _ in head["headers"]}
    content = body.get("body", b"")
    return (
        head["status"] == 200
        and not body.get("more_body")
        and 0 < len(content) <= _MOST_BYTES
        and b"etag" not in names
        and (b"cache-control", b"no-store") not in head["headers"]
    )


def _with_etag(head: Message, body: Message, known: bytes) -> tuple[Message, Message]:
    digest = hashlib.blake2b(body["body"], digest_size=12).hexdigest()
    etag = f'W/"{digest}"'.encode()
    headers: list[Any] = [*head["headers"], (b"etag", etag)]
    given = {tag.strip() for tag in known[:1000].split(b",")}
    if etag not in given and b"*" not in given:
        return {**head, "headers": headers}, body
    dropped = {b"content-length", b"content-type"}
    kept = [pair for pair in headers if pair[0].lower() not in dropped]
    return {**head, "status": 304, "headers": kept}, {**body, "body": b""}
