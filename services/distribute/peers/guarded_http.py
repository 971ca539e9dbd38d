"""HTTP to addresses that users name: public ones only, no redirects, small answers, short waits."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from services.distribute.channels.base import PeerAwayError
from shared.subscriptions.addresses import as_literal, is_public

MAX_ANSWER_BYTES = 1024 * 1024
_MAX_RETRY_AFTER_S = 3600.0
_AGENT = "tocsin-courier"


class ForbiddenTargetError(OSError):
    """The address is not one of the open internet, and no operator has allowed it."""


class PublicResolver(ThreadedResolver):
    """Resolves names to public addresses only: what is judged is what is connected to."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As the system does; one address that is not public spoils them all."""
        found = await super().resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise ForbiddenTargetError("the address is private, loopback or reserved")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer said."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that ``Retry-After`` asks for; None without one that is a number."""
        text = self.headers.get("retry-after", "").strip()
        return min(float(text), _MAX_RETRY_AFTER_S) if text.isdecimal() else None


class GuardedHttp:
    """A pool of connections, made when first used.

    Parameters
    ----------
    timeout_s
        Longest time for one request, everything included.
    allow_private
        Whether private and loopback addresses may be called.
    """

    def __init__(self, timeout_s: float, *, allow_private: bool) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10.0, timeout_s))
        self._allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, body: bytes | aiohttp.FormData, headers: Mapping[str, str]
    ) -> Answer:
        """POST once.

        Raises
        ------
        ForbiddenTargetError
            If the URL leads to an address that must not be called.
        PeerAwayError
            If there is no answer; ``in_doubt`` unless no connection was made.
        """
        self._check_literal(url)
        try:
            async with self._opened().post(
                url, data=body, headers=dict(headers), allow_redirects=False
            ) as response:
                return Answer(
                    response.status,
                    {name.lower(): value for name, value in response.headers.items()},
                    await _limited(response),
                )
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ForbiddenTargetError):
                raise error.os_error from error
            raise PeerAwayError(f"no connection: {type(error).__name__}") from error
        except (aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise PeerAwayError(f"no connection: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The message may hold the URL, which may be a secret.
            raise PeerAwayError(f"no answer: {type(error).__name__}", in_doubt=True) from error

    def _check_literal(self, url: str) -> None:
        """Addresses that are written out are not resolved, so they are judged here."""
        literal = as_literal(urlsplit(url).hostname or "")
        if literal is not None and not self._allow_private and not is_public(literal):
            raise ForbiddenTargetError("the address is private, loopback or reserved")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = ThreadedResolver() if self._allow_private else PublicResolver()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=resolver, use_dns_cache=False, limit=50, limit_per_host=4
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _AGENT},
                trust_env=False,
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The body; cut where it is longer than anything that we read."""
    parts, length = [], 0
    async for chunk in response.content.iter_chunked(65_536):
        parts.append(chunk)
        length += len(chunk)
        if length > MAX_ANSWER_BYTES:
            response.close()
            break
    return b"".join(parts)[:MAX_ANSWER_BYTES]
