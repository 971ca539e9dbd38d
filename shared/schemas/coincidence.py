"""A coincidence: two events of different messengers that may be one.

JSON on the ``coincidences`` topic: new, updated, withdrawn.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.event import EventCandidate
from shared.schemas.notice import Messenger, Role


class CoincidentEvent(BaseModel):
    """One of the two."""

    model_config = ConfigDict(frozen=True)

    event_id: str = Field(title="Event, as in the event list")
    notice_id: str = Field(title="Notice whose region was used")
    notice_type: str = Field(title="Registry name of the notice type")
    messenger: Messenger = Field(title="What carried the news of it")
    event_time: str = Field(title="Time of the event, UTC, ISO 8601")
    far_hz: float | None = Field(None, ge=0, title="False alarm rate of the event alone, Hz")


class CoincidenceRecord(BaseModel):
    """Event x event under one version of each. No clock is in it: a repeat is recognised."""

    model_config = ConfigDict(frozen=True)

    state: Literal["new", "updated", "withdrawn"] = Field(title="What happened to it")
    reason: str = Field("", title="Why it was updated or withdrawn")
    role: Role = Field(title="Role of both events; real and test never meet")
    first: CoincidentEvent = Field(title="The gravitational wave where there is one, else a burst")
    second: CoincidentEvent = Field(title="What came with it")
    offset_s: float = Field(title="Time of the second minus that of the first, seconds")
    window_s: tuple[float, float] = Field(title="RAVEN's window for such a pair, seconds")
    overlap: float = Field(ge=0, title="Spatial overlap integral; 1 says nothing")
    raven_far_hz: float | None = Field(
        None, ge=0, title="Joint false alarm rate with the first's own, Hz"
    )
    joint_far_hz: float | None = Field(
        None, ge=0, title="The same with the rate of such events where that is larger, Hz"
    )
    ra_deg: float = Field(title="Right ascension of the combined map's mode, ICRS, degrees")
    dec_deg: float = Field(title="Declination of the combined map's mode, ICRS, degrees")
    area_50_deg2: float = Field(ge=0, title="Area of the combined map's 50 % credible region")
    area_90_deg2: float = Field(ge=0, title="Area of the combined map's 90 % credible region")
    distance_mpc: float | None = Field(None, title="Mean distance where one event has it")
    candidates: tuple[EventCandidate, ...] = Field(
        (), title="Objects of either event inside the combined map, most probable place first"
    )

    @property
    def coincidence_id(self) -> str:
        """Identity of the pair, whatever the versions."""
        return f"{self.role}/{self.first.event_id}+{self.second.event_id}"

    @property
    def key(self) -> bytes:
        """Kafka key: the pair."""
        return self.coincidence_id.encode()

    def to_json(self) -> bytes:
        """The coincidence as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> CoincidenceRecord:
        """Read a coincidence back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
