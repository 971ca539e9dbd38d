"""One request to a service, carried out: paced, tried again, limited in time and size."""

from __future__ import annotations

import asyncio
import email.utils
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from services.xmatch.remote.base import MalformedAnswerError, RemoteError, Request
from services.xmatch.remote.pacing import BreakerState, CircuitBreaker, Clock, Sleep, TokenBucket

_RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_LEAST_TRY_S = 0.2
"""With less time than this left a try is not begun."""


@dataclass(frozen=True, slots=True)
class AskLimits:
    """What one request may cost."""

    budget_s: float = 60.0
    """For all tries and pauses together."""
    try_s: float = 30.0
    """For one try, from connecting to the last byte."""
    tries: int = 4
    first_pause_s: float = 1.0
    longest_pause_s: float = 20.0
    answer_bytes: int = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """The body of an answer, and what its headers say of the service."""

    body: bytes
    server: str | None


class Asker:
    """Asks one service; one token bucket and one breaker for all its tables.

    Parameters
    ----------
    url
        Where to POST. Redirects are not followed.
    outcome
        Called with one snake_case word after every try.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        bucket: TokenBucket,
        breaker: CircuitBreaker,
        limits: AskLimits,
        outcome: Callable[[str], None] = lambda _: None,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.url = url
        self._client, self._bucket, self._breaker, self._limits = client, bucket, breaker, limits
        self._outcome, self._clock, self._sleep, self._jitter = outcome, clock, sleep, jitter

    @property
    def state(self) -> BreakerState:
        """Of the breaker."""
        return self._breaker.state

    async def ask(self, request: Request) -> RawAnswer:
        """Ask, and ask again after a pause if that may help, until the budget is spent.

        Raises
        ------
        RemoteError
            ``breaker_open``, ``budget_spent``, ``refused`` (the service finds fault with the
            request), or what the last try ended with: ``timeout``, ``unreachable``, ``cut``,
            ``server_error``, ``busy``, ``too_large``, ``malformed``.
        """
        deadline_s = self._clock() + self._limits.budget_s
        for number in range(1, self._limits.tries + 1):
            if not self._breaker.allows():
                raise RemoteError(
                    "breaker_open", f"{self.url}: not before {self._breaker.wait_s():.0f} s"
                )
            try:
                answer = await self._paced_try(request, deadline_s)
            except _FailedTryError as failure:
                self._breaker.failed(failure.not_before_s)
                self._outcome(failure.kind)
                if number == self._limits.tries:
                    raise RemoteError(failure.kind, failure.detail) from failure
                pause_s = self._pause_s(number, failure.not_before_s)
                if self._clock() + pause_s + _LEAST_TRY_S > deadline_s:
                    raise RemoteError(failure.kind, failure.detail) from failure
            except RemoteError as error:
                if error.kind == "budget_spent":
                    self._breaker.abandoned()
                else:  # it answered: not to like the answer is no reason to leave it alone
                    self._breaker.succeeded()
                self._outcome(error.kind)
                raise
            except BaseException:
                self._breaker.abandoned()
                raise
            else:
                self._breaker.succeeded()
                self._outcome("answered")
                return answer
            await self._sleep(pause_s)
        raise AssertionError("the last try either answers or raises")

    def _pause_s(self, number: int, not_before_s: float) -> float:
        """Growing and uneven, so that clients do not come back together; never before wanted."""
        grown_s = min(self._limits.first_pause_s * 2 ** (number - 1), self._limits.longest_pause_s)
        return float(max(not_before_s, grown_s * (0.5 + 0.5 * self._jitter())))

    async def _paced_try(self, request: Request, deadline_s: float) -> RawAnswer:
        if not await self._bucket.take(deadline_s - self._clock()):
            raise RemoteError("budget_spent", f"{self.url}: no request was free in time")
        left_s = min(self._limits.try_s, deadline_s - self._clock())
        if left_s < _LEAST_TRY_S:
            raise RemoteError("budget_spent", f"{self.url}: no time was left")
        try:
            async with asyncio.timeout(left_s):
                return await self._try(request)
        except TimeoutError as error:
            raise _FailedTryError("timeout", f"{self.url}: more than {left_s:.1f} s") from error
        except httpx.TimeoutException as error:
            raise _FailedTryError("timeout", f"{self.url}: {error!r}") from error
        except (httpx.RemoteProtocolError, httpx.ReadError) as error:
            raise _FailedTryError("cut", f"{self.url}: {error!r}") from error
        except httpx.HTTPError as error:
            raise _FailedTryError("unreachable", f"{self.url}: {error!r}") from error

    async def _try(self, request: Request) -> RawAnswer:
        files = dict(request.files)
        async with self._client.stream(
            "POST", self.url, data=dict(request.data), files=files
        ) as response:
            status = response.status_code
            if status in _RETRIED_STATUS:
                kind = "busy" if status in {429, 503} else "server_error"
                not_before_s = retry_after_s(response.headers.get("retry-after"), time.time())
                raise _FailedTryError(kind, f"{self.url}: HTTP {status}", not_before_s)
            if response.headers.get("content-encoding", "identity") != "identity":
                raise MalformedAnswerError("packed, though we asked for it plain")
            body = await self._body(response)
        if status >= 300:
            words = " ".join(body[:300].decode("utf-8", "replace").split())
            raise RemoteError("refused", f"{self.url}: HTTP {status}: {words}")
        return RawAnswer(body, response.headers.get("server"))

    async def _body(self, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > self._limits.answer_bytes:
                raise RemoteError(
                    "too_large", f"{self.url}: more than {self._limits.answer_bytes} bytes"
                )
            chunks.append(chunk)
        return b"".join(chunks)


class _FailedTryError(RemoteError):
    """A try that may be made again."""

    def __init__(self, kind: str, detail: str, not_before_s: float = 0.0) -> None:
        super().__init__(kind, detail)
        self.not_before_s = not_before_s


def retry_after_s(header: str | None, now_s: float) -> float:
    """Seconds that a ``Retry-After`` asks for (RFC 9110, 10.2.3); 0 if it cannot be read."""
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, at.timestamp() - now_s)


def open_client() -> httpx.AsyncClient:
    """A client for few, slow services: no proxy of the environment, nothing packed."""
    return httpx.AsyncClient(
        headers={"User-Agent": "Tocsin alert broker (remote enricher)",
                 "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(None, connect=10.0),
        limits=httpx.Limits(max_connections=8),
        follow_redirects=False,
    )  # fmt: skip
