"""Fetches TNS's files as a registered bot must: its marker, its key, its rate limits.

Every answer says how many requests are left (``x-rate-limit-remaining``) and when they are given
anew (``x-rate-limit-reset``, seconds); 429 is waited out.
"""

from __future__ import annotations

import asyncio
import json

import httpx
from pydantic import SecretStr

from shared.errors import RejectedRecordError, UpstreamUnavailableError

FILES = "system/files/tns_public_objects"
MAX_BYTES = 256 * 2**20
TIMEOUT_S = 60.0
MAX_WAIT_S = 120.0
MAX_TRIES = 6
_FIRST_PAUSE_S = 1.0


class TnsClient:
    """One bot at one server.

    Parameters
    ----------
    url
        ``https://www.wis-tns.org``, the sandbox, or a test server.
    bot_id, bot_name, api_key
        As TNS gave them.
    """

    def __init__(self, url: str, bot_id: int, bot_name: str, api_key: SecretStr) -> None:
        marker = json.dumps({"tns_id": bot_id, "type": "bot", "name": bot_name})
        self._url, self._key = url.rstrip("/"), api_key
        self._http = httpx.AsyncClient(
            headers={"User-Agent": f"tns_marker{marker}"}, timeout=TIMEOUT_S, follow_redirects=False
        )
        self._pause_s = 0.0

    async def file(self, name: str) -> bytes | None:
        """A file of ``FILES``; None if there is none of that name (yet).

        Raises
        ------
        RejectedRecordError
            ``refused`` if the bot is not known there, ``too_large``.
        UpstreamUnavailableError
            If there was no answer after ``MAX_TRIES``.
        """
        why = "no answer"
        pause_s = _FIRST_PAUSE_S
        for _ in range(MAX_TRIES):
            await asyncio.sleep(self._pause_s)
            self._pause_s = 0.0
            try:
                answer, content = await self._once(f"{self._url}/{FILES}/{name}")
            except httpx.HTTPError as error:
                why = f"{type(error).__name__}: {error}"
                self._pause_s, pause_s = pause_s, min(2.0 * pause_s, MAX_WAIT_S)
                continue
            self._obey(answer)
            if answer.status_code == httpx.codes.OK:
                return content
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            why = f"status {answer.status_code}"
            if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
                raise RejectedRecordError(
                    "refused", f"TNS refuses the bot ({why}); check its id, name and key"
                )
            self._pause_s = max(self._pause_s, pause_s)
            pause_s = min(2.0 * pause_s, MAX_WAIT_S)
        raise UpstreamUnavailableError(f"TNS did not give {name}: {why}")

    async def _once(self, url: str) -> tuple[httpx.Response, bytes]:
        form = {"api_key": self._key.get_secret_value()}
        async with self._http.stream("POST", url, data=form) as answer:
            content = bytearray()
            async for part in answer.aiter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    raise RejectedRecordError("too_large", f"{url} is larger than {MAX_BYTES}")
        return answer, bytes(content)

    def _obey(self, answer: httpx.Response) -> None:
        """Wait before the next request if there are none left."""
        try:
            left = int(answer.headers.get("x-rate-limit-remaining", "1"))
            reset_s = float(answer.headers.get("x-rate-limit-reset", "0"))
        except ValueError:
            return
        if left <= 0:
            self._pause_s = min(max(reset_s, _FIRST_PAUSE_S), MAX_WAIT_S)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()
