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

from services.distribute.channels.base import Destination, Outcome, Parcel
from services.distribute.channels.http_post import HttpPost
from shared.subscriptions.channel_settings import WebhookSettings


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


class WebhookChannel(HttpPost):
    """POSTs one alert at a time; a repeat bears the same id."""

    name = "webhook"
    most_at_once = 1

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
            "Idempotency-Key": identity,
            "webhook-id": identity,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(
                to.secret.get_secret_value(), identity, timestamp_s, body
            ),
        }
        return await self.post(to.settings.url, body, headers)


def _iso(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(milliseconds / 1000))
