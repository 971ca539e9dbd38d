"""What a subscription must say for each channel, and which secret it needs.

A literal table: the portal refuses what does not fit, the courier reads it again. A channel has
a line here and one in ``services.distribute.channels``; a test compares.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.types import StringConstraints

from shared.errors import RejectedRecordError
from shared.subscriptions.addresses import HttpUrl, MailAddress

Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text without control characters: it may end in a header."""


class ChannelSettings(BaseModel):
    """Base: unknown settings are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WebhookSettings(ChannelSettings):
    """POST of JSON to a URL, signed with the secret."""

    url: HttpUrl = Field(title="Where to POST to, https://...")


class SlackSettings(ChannelSettings):
    """Message to a Slack-compatible incoming webhook; its URL is the secret."""

    title: Line = Field("New alert", title="First words of each message")
    link: Line = Field("", title="Page of an object; {object_id} and {alert_id} are filled in")


class MailSettings(ChannelSettings):
    """Digest by e-mail, through the operator's SMTP server."""

    to: list[MailAddress] = Field(min_length=1, max_length=20, title="Addresses")
    subject: Line = Field("Tocsin alerts", title="Subject, before the number of alerts")
    every_minutes: float = Field(60, ge=0, le=1440, title="Longest wait for more alerts, minutes")


class TnsSettings(ChannelSettings):
    """Reports to the Transient Name Server by a bot; its API key is the secret."""

    report: Literal["at", "classification"] = Field("at", title="Discovery or classification")
    bot_id: int = Field(ge=1, title="TNS id of the bot")
    bot_name: Line = Field(min_length=1, title="Its name")
    reporting_group_id: int = Field(ge=1, title="Group that reports")
    data_source_id: int = Field(ge=1, title="Group whose data it is")
    reporter: Line = Field(min_length=3, title="Authors: N. Name (Institute), ...")
    at_type: int = Field(1, ge=0, le=5, title="1 possible SN, 2 nova, 3 AGN, 4 nuclear, 0 other")
    live: bool = Field(False, title="The real TNS and not its sandbox; an operator must allow it")
    remarks: Line = Field("Found by the Tocsin alert broker", title="Remarks")


class HermesSettings(ChannelSettings):
    """Messages for HERMES, over SCiMMA's Kafka; the secret is user:password."""

    topic: str = Field(pattern=r"^[A-Za-z0-9._-]{1,200}$", title="Topic that the account may write")
    title: Line = Field("Tocsin alert", title="Title, before the object's name")
    submitter: Line = Field(min_length=1, title="Account that submits")
    authors: Line = Field("", title="Authors")
    is_test: bool = Field(True, title="Marked as a test")


SETTINGS: dict[str, type[ChannelSettings]] = {
    "webhook": WebhookSettings,
    "slack": SlackSettings,
    "mail": MailSettings,
    "tns": TnsSettings,
    "hermes": HermesSettings,
}
NEEDS_SECRET = frozenset({"webhook", "slack", "tns"})
"""Channels that cannot do without one; ``hermes`` can, on a Kafka without authentication."""
MIN_SECRET_CHARS = 16
"""Of a webhook's signing key."""


def settings_of(channel: str, given: dict[str, Any]) -> ChannelSettings:
    """What a subscription says, checked.

    Raises
    ------
    RejectedRecordError
        ``unknown_channel``, or ``bad_settings`` with the place and the reason.
    """
    model = SETTINGS.get(channel)
    if model is None:
        known = ", ".join(SETTINGS)
        raise RejectedRecordError("unknown_channel", f"no channel {channel!r}; there are {known}")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, each['loc'])) or channel}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise RejectedRecordError("bad_settings", "; ".join(faults)) from error


def check_secret(channel: str, secret: str | None) -> None:
    """Refuse a subscription whose channel cannot work with this secret.

    Raises
    ------
    RejectedRecordError
        ``bad_secret``; the message never repeats it.
    """
    if not secret:
        if channel in NEEDS_SECRET:
            raise RejectedRecordError("bad_secret", f"the channel {channel} needs a secret")
        return
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in secret):
        raise RejectedRecordError("bad_secret", "a secret is one line without control characters")
    if channel == "webhook" and len(secret) < MIN_SECRET_CHARS:
        raise RejectedRecordError(
            "bad_secret", f"a signing key has at least {MIN_SECRET_CHARS} characters"
        )
