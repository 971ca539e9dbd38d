"""What stands before every route: limits of size, time and rate, and headers of safety."""

from __future__ import annotations

import asyncio
import time

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.portal.backends import Backends
from services.portal.problems import ProblemError, problem_answer
from services.portal.tokens import sha256_of

log = structlog.get_logger()
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"permissions-policy", b"geolocation=(), camera=(), microphone=()"),
]
_UNLIMITED = ("/live", "/ready", "/metrics")
"""What the supervisor and Prometheus ask."""
STREAM_SUFFIX = "/stream"
"""Paths that end so are streams: no limit of time."""


class Guards:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, backends: Backends) -> None:
        self._app = app
        self._backends = backends
        self._most_bytes = backends.settings.portal_body_kib * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge a request, pass it on, count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        answer = _Answer(send)
        key, has_token = _key_of(scope)
        try:
            if scope["path"] not in _UNLIMITED:
                self._judge(scope, key, has_token=has_token)
            seconds = self._backends.settings.portal_request_seconds
            is_stream = scope["path"].endswith(STREAM_SUFFIX)
            body = _Body(receive, self._most_bytes)
            async with asyncio.timeout(None if is_stream else seconds):
                await self._app(scope, body.receive, answer.send)
        except ProblemError as problem:
            await _refuse(scope, receive, answer, problem)
        except TimeoutError:
            slow = ProblemError(504, "this took too long; ask for less")
            await _refuse(scope, receive, answer, slow)
        finally:
            self._count(scope, answer, key, began_s)

    def _judge(self, scope: Scope, key: str, *, has_token: bool) -> None:
        self._backends.limits.refuse_guesser(_address(scope))
        self._backends.limits.request(key, has_token=has_token)
        length = _header(scope, b"content-length")
        if length is not None and (not length.isdigit() or int(length[:20]) > self._most_bytes):
            raise _too_large(self._most_bytes)

    def _count(self, scope: Scope, answer: _Answer, key: str, began_s: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        metrics = self._backends.metrics
        method = scope["method"] if scope["method"] in _METHODS else "other"
        metrics.requests.labels(route, method, str(answer.status or 499)).inc()
        if not route.endswith(STREAM_SUFFIX):
            metrics.seconds.labels(route).observe(time.monotonic() - began_s)
        self._backends.limits.sent(key, answer.sent_bytes)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Answer:
    """The way out: adds the headers, counts the bytes, knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.sent_bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.lower() for name, _ in message.get("headers", ())}
            own = [pair for pair in _HEADERS if pair[0] not in given]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
        await self._send(message)


class _Body:
    """The way in: ends a body that grows beyond the limit, whatever it said of its length."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._seen = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._most_bytes:
                # FastAPI hands on its own kind of error while it reads a body, and no other.
                raise HTTPException(413, _too_large(self._most_bytes).detail)
        return message


def _too_large(most_bytes: int) -> ProblemError:
    return ProblemError(413, f"a body has at most {most_bytes} bytes")


async def _refuse(scope: Scope, receive: Receive, answer: _Answer, problem: ProblemError) -> None:
    if answer.status:  # it has begun: all that is left is to end it
        log.warning("portal_answer_cut", path=scope["path"], why=problem.detail)
        raise problem
    refusal = problem_answer(problem.status, problem.detail, problem.headers, **problem.members)
    await refusal(scope, receive, answer.send)


def _key_of(scope: Scope) -> tuple[str, bool]:
    """What a request is counted by before it is known whose it is."""
    given = _header(scope, b"authorization")
    if given is None:
        return _address(scope), False
    return sha256_of(given.decode("latin-1"))[:16], True


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
