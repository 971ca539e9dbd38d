"""A dead letter: a record that could not go on, kept with the reason and the way back to it."""

from __future__ import annotations

import base64

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

MAX_PAYLOAD_BYTES = 4 * 1024 * 1024
"""A larger payload is not repeated in the letter: its origin still has it."""


class DeadLetter(BaseModel):
    """One record set aside by one stage; JSON on the ``dead-letters`` topic."""

    model_config = ConfigDict(frozen=True)

    stage: str = Field(title="Service that set it aside")
    reason: str = Field(title="Short snake_case word to count by, e.g. truncated, duplicate, bug")
    detail: str = Field(title="What is wrong, where, and how to mend it")
    traceback: str | None = Field(None, title="Python traceback, if a bug did it")
    origin_topic: str = Field(
        title="Topic of the record; for an alert in the river its survey topic"
    )
    origin_partition: int = Field(title="Partition of that topic")
    origin_offset: int = Field(title="Offset in that partition")
    taken_from: str = Field("", title="Topic the stage took it from; a replay goes back there")
    alert_id: str | None = Field(None, title="Alert, if it is known")
    payload: bytes | None = Field(None, title="The record itself; null where its origin has it")
    set_aside_ms: int = Field(0, title="When, Unix time, milliseconds")

    @field_serializer("payload")
    def _to_base64(self, payload: bytes | None) -> str | None:
        return None if payload is None else base64.b64encode(payload).decode("ascii")

    @field_validator("payload", mode="before")
    @classmethod
    def _from_base64(cls, payload: object) -> object:
        return base64.b64decode(payload) if isinstance(payload, str) else payload

    @property
    def key(self) -> bytes:
        """Kafka key: the origin, so that letters about one record stay together."""
        return f"{self.origin_topic}/{self.origin_partition}/{self.origin_offset}".encode()

    def to_json(self) -> bytes:
        """The letter as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> DeadLetter:
        """Read a letter back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
