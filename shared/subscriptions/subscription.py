"""The records of the ``subscriptions`` and ``deliveries`` collections."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.kafka.topics import OUT_PREFIX, Topic

SourceKind = Literal["out", "voevents", "associations", "targets"]
SOURCES = (Topic.VOEVENTS.value, Topic.ASSOCIATIONS.value, Topic.TARGETS.value)
"""What may be subscribed to besides ``out.<filter>``."""
SOURCE_PATTERN = rf"^(out\.[a-z][a-z0-9_]{{0,62}}|{'|'.join(SOURCES)})$"

DeliveryState = Literal["queued", "sending", "sent", "confirmed", "failed"]
WAITING: tuple[DeliveryState, ...] = ("queued", "sending", "sent")
"""States in which there is something left to do."""


class Subscription(BaseModel):
    """Somebody's wish to be sent whatever comes by on one topic, by one channel."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subscription_id: str = Field(pattern=r"^[0-9a-f]{12}$", title="Identity, 12 hex digits")
    name: str = Field(min_length=1, max_length=80, title="What its owner calls it")
    source: str = Field(pattern=SOURCE_PATTERN, title="out.<filter>, voevents, associations, ...")
    channel: str = Field(max_length=40, title="Registry name of the channel")
    settings: dict[str, Any] = Field(default_factory=dict, title="What the channel asks for")
    sealed_secret: str | None = Field(None, repr=False, title="The secret, encrypted")
    owner: str = Field(title="Whose it is")
    group: str | None = Field(None, title="Group that may see it too")
    state: Literal["active", "paused", "deleted"] = Field("active", title="What to do with it")
    reason: str = Field("", title="Why it is paused, if not by its owner's wish")
    rate_per_minute: int = Field(60, ge=1, le=6000, title="Most deliveries a minute")
    created_ms: int = Field(title="When it was made, Unix milliseconds")

    @property
    def filter_name(self) -> str | None:
        """The filter whose alerts it wants; None for the mesh's other topics."""
        is_filter = self.source.startswith(OUT_PREFIX)
        return self.source.removeprefix(OUT_PREFIX) if is_filter else None

    def to_document(self) -> dict[str, Any]:
        """As kept in the database."""
        return {"_id": self.subscription_id, **self.model_dump()}

    def told(self) -> dict[str, Any]:
        """As shown to those who may see it: never with the secret, not even sealed."""
        return {
            **self.model_dump(exclude={"sealed_secret"}),
            "has_secret": self.sealed_secret is not None,
        }


class Delivery(BaseModel):
    """One message of a topic on its way to one subscription: the record of what became of it.

    ``sending`` is written before the peer is spoken to, so that after a crash it is known which
    deliveries are in doubt.
    """

    model_config = ConfigDict(extra="ignore")

    delivery_id: str = Field(title="<subscription>/<topic>/<partition>/<offset>")
    subscription_id: str
    channel: str
    source: str = Field(title="Topic without prefix")
    partition: int
    offset: int
    subject: str = Field("", title="Alert, association or target: its identity")
    object_id: str = Field("", title="The survey's object, where there is one")
    survey: str = Field("", title="Survey of the alert, where there is one")
    state: DeliveryState = "queued"
    reason: str = Field("", title="Why it failed, or why it waits")
    reference: str = Field("", title="What the peer calls it: a report, a message")
    tries: int = Field(0, title="Attempts so far")
    queued_ms: int = Field(title="When it was written down, Unix milliseconds")
    next_try_ms: int = Field(0, title="Not before")
    sending_ms: int | None = Field(None, title="When the last attempt began")
    settled_ms: int | None = Field(None, title="When it was confirmed or failed")
    payload: bytes | None = Field(None, repr=False, title="What is to be sent, JSON; then null")

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Delivery:
        """From the database."""
        return cls.model_validate(document)

    def to_document(self) -> dict[str, Any]:
        """As kept in the database."""
        return {"_id": self.delivery_id, **self.model_dump()}

    def told(self) -> dict[str, Any]:
        """As shown to those who may see it."""
        return self.model_dump(exclude={"payload"})
