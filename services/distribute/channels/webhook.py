"""Webhook: a signed POST of JSON, as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks (v1): headers ``webhook-id``,
``webhook-timestamp`` and ``webhook-signature`` (``v1,`` and the base64 of the HMAC-SHA256 of
``id.timestamp.body``), so receivers have ready-made checks in every language. The id is the same at
every attempt and is also the ``Idempotency-Key``: by it the peer drops what it already has.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Sequence

import orjson

from services.distribute.channels.base import Destination, Outcome, Parcel, PeerAwayError
from services.distribute.courier.settings import CourierSettings
from services.distribute.peers.guarded_http import Answer, ForbiddenTargetError, GuardedHttp
from shared.subscriptions.channel_settings import ChannelSettings, WebhookSettings

_WAIT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that say: not now."""


def signature(secret: str, identity: str, timestamp_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``.

    Parameters
    ----------
    secret
        The signing key; after ``whsec_`` it is base64, otherwise it is taken as it is.
    identity
        ``webhook-id``.
    timestamp_s
        ``webhook-timestamp``, Unix seconds.
    body
        The body, byte for byte.
    """
    try:
        encoded = secret.removeprefix("whsec_")
        key = secret.encode() if encoded == secret else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = secret.encode()
    signed = f"{identity}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


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


class WebhookChannel:
    """POSTs one alert at a time."""

    name = "webhook"
    most_at_once = 1
    once_per_object = False
    doubt_s = 0.0

    def __init__(self, settings: CourierSettings) -> None:
        self._http = GuardedHttp(
            settings.courier_timeout_s, allow_private=settings.courier_allow_private
        )

    def waits_s(self, settings: ChannelSettings) -> float:
        """At once."""
        return 0.0

    async def deliver(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome]:
        """See ``channels.base``."""
        return [await self._post(to, parcel) for parcel in parcels]

    async def _post(self, to: Destination, parcel: Parcel) -> Outcome:
        assert isinstance(to.settings, WebhookSettings)  # noqa: S101  # by the registry of settings
        if to.secret is None:
            return Outcome("failed", "no signing key")
        body = orjson.dumps(
            {
                "type": parcel.source,
                "timestamp": _iso(parcel.queued_ms),
                "id": parcel.idempotency_key,
                "subject": parcel.subject,
                "data": parcel.document,
            }
        )
        timestamp_s = int(time.time())
        identity = parcel.idempotency_key
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": identity,
            "webhook-id": identity,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(
                to.secret.get_secret_value(), identity, timestamp_s, body
            ),
        }
        try:
            return judged(await self._http.post(to.settings.url, body, headers))
        except ForbiddenTargetError as error:
            return Outcome("failed", str(error))

    async def look(self, to: Destination, parcels: Sequence[Parcel]) -> list[Outcome | None]:
        """Nothing can be asked; a repeat bears the same id."""
        return [None] * len(parcels)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()


def _iso(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))
