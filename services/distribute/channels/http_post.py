"""What channels that POST to a URL share: the guarded client, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.distribute.channels.base import Destination, Outcome, Parcel, PeerAwayError
from services.distribute.courier.settings import CourierSettings
from services.distribute.peers.guarded_http import Answer, ForbiddenTargetError, GuardedHttp
from shared.subscriptions.channel_settings import ChannelSettings

_WAIT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that say: not now."""


def judged(answer: Answer) -> Outcome:
    """What an HTTP answer means for a delivery.

    Raises
    ------
    PeerAwayError
        If it says to try again.
    """
    if 200 <= answer.status < 300:
        return Outcome("confirmed")
    if answer.status in _WAIT:
        raise PeerAwayError(f"HTTP {answer.status}", retry_after_s=answer.retry_after_s)
    if 300 <= answer.status < 400:
        return Outcome("failed", f"HTTP {answer.status}: redirects are not followed")
    return Outcome("failed", f"HTTP {answer.status}")


class HttpPost:
    """A channel that POSTs JSON, at once, and can ask the peer nothing afterwards."""

    once_per_object = False
    doubt_s = 0.0

    def __init__(self, settings: CourierSettings) -> None:
        self._http = GuardedHttp(
            settings.courier_timeout_s, allow_private=settings.courier_allow_private
        )

    def waits_s(self, settings: ChannelSettings) -> float:
        """At once."""
        return 0.0

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """POST a body of JSON; raises ``PeerAwayError`` if the peer is not there now."""
        given = {"Content-Type": "application/json", **headers}
        try:
            return judged(await self._http.post(url, body, given))
        except ForbiddenTargetError as error:
            return Outcome("failed", str(error))

    async def look(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome | None]:
        """Nothing can be asked of who takes a POST."""
        return [None] * len(parcels)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()
