"""A vote: one user's opinion whether an object is an anomaly. JSON on the ``votes`` topic.

Votes teach that user's own forest only (``services/classify/learning/anomalies``).
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Opinion = Literal["anomaly", "regular", "unknown"]


class Vote(BaseModel):
    """One opinion of one user about one object; the newest of a user and object counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str = Field(min_length=1, max_length=80, title="Whose opinion it is")
    object_id: str = Field(min_length=1, max_length=200, title="The survey's name of the object")
    survey: str | None = Field(None, max_length=40, title="Survey of the object")
    opinion: Opinion = Field(title="anomaly, regular, or unknown (takes an opinion back)")
    is_prior: bool = Field(False, title="A known example given beforehand, not an answer")
    said_ms: int = Field(ge=0, title="When it was said, Unix time, milliseconds")

    @property
    def vote_id(self) -> str:
        """Identity of the vote: what to drop repeats by."""
        return hashlib.blake2b(self.to_json(), digest_size=16).hexdigest()

    @property
    def key(self) -> bytes:
        """Kafka key: the user, so that the user's votes stay in order."""
        return self.user.encode()

    def to_json(self) -> bytes:
        """The vote as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Vote:
        """Read a vote back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
