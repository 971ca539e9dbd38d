"""An event as all its notices leave it: one line of the event list.

JSON on the compacted ``events`` topic, keyed by role and event; the newest statement counts.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.notice import AlertKind, Localization, Messenger, Role

EventState = Literal["active", "unplaced", "retracted", "expired", "joined"]


class EventVersion(BaseModel):
    """One notice of the event, in few words."""

    model_config = ConfigDict(frozen=True)

    notice_id: str = Field(title="The notice, as on the notices topic")
    notice_type: str = Field(title="Registry name of the notice type")
    event_id: str = Field(title="What this notice calls the event")
    alert_kind: AlertKind = Field(title="Place in the life of the event")
    issued_ms: int = Field(title="When the author wrote it, Unix time, milliseconds")
    serial: int = Field(0, title="The author's own number of this version; 0 where there is none")
    ivorn: str | None = Field(None, title="IVOA identifier; null for JSON")
    is_placed: bool = Field(title="It says where the event is")
    area_90_deg2: float | None = Field(None, ge=0, title="Area of its map's 90 % credible region")


class EventCandidate(BaseModel):
    """An object that stands among the event's candidates, by the best of its alerts."""

    model_config = ConfigDict(frozen=True)

    rank: int = Field(ge=1, title="Place by ln_bayes among the objects, then by credible level")
    survey: str = Field(title="Survey of the object")
    object_id: str = Field(title="The survey's identifier of the object")
    alert_id: str = Field(title="The alert that counts")
    is_simulated: bool = Field(title="The alert was made by a simulator")
    alerts: int = Field(ge=1, title="How many of its alerts stand")
    ra_deg: float = Field(title="Right ascension, ICRS, degrees")
    dec_deg: float = Field(title="Declination, ICRS, degrees")
    tier: str | None = Field(None, title="gold, silver, bronze, unranked or vetoed")
    credible_level: float = Field(ge=0, le=1, title="Smallest credible region that holds it")
    time_offset_days: float | None = Field(None, title="First detection minus event time, days")
    p_local: float | None = Field(None, ge=0, le=1, title="Probability of one by chance")
    joint_far_hz: float | None = Field(None, ge=0, title="Chance associations like this, Hz")
    ln_bayes: float | None = Field(None, title="Sum of the factors that are known")


class EventRecord(BaseModel):
    """An event: its versions, state, place, and what stands beside it."""

    model_config = ConfigDict(frozen=True)

    event_id: str = Field(title="Name of the event, as in associations")
    role: Role = Field(title="Whether it is real: VOEvent roles and injection")
    state: EventState = Field(
        title="active; unplaced (no notice says where); retracted; expired (alerts are past its "
        "window); joined (known by another name now)"
    )
    successor: str | None = Field(None, title="The name it is known by, if joined")
    names: tuple[str, ...] = Field((), title="What its notices call it")
    notice_types: tuple[str, ...] = Field((), title="Notice types that speak of it")
    messenger: Messenger | None = Field(None, title="What carried the news")
    event_time: str | None = Field(None, title="Time of the event, UTC, ISO 8601")
    event_mjd_tai: float | None = Field(None, title="The same, modified Julian date, TAI, days")
    window_start_mjd_tai: float | None = Field(None, title="Counterparts may appear from, MJD TAI")
    window_end_mjd_tai: float | None = Field(None, title="Counterparts may appear until, MJD TAI")
    version: int = Field(0, ge=0, title="How many notices of it have been seen")
    versions: tuple[EventVersion, ...] = Field((), title="The last 50 of them, in order of issue")
    notice_id: str | None = Field(None, title="The notice whose region is used")
    far_hz: float | None = Field(None, ge=0, title="False alarm rate, Hz")
    significant: bool | None = Field(None, title="The author calls it significant")
    classification: dict[str, float] = Field(
        default_factory=dict, title="Class probabilities under the author's own names"
    )
    instruments: tuple[str, ...] = Field((), title="Instruments that saw it")
    localization: Localization | None = Field(None, title="Where it is, in a few numbers")
    area_50_deg2: float | None = Field(None, ge=0, title="Area of the 50 % credible region")
    area_90_deg2: float | None = Field(None, ge=0, title="Area of the 90 % credible region")
    sky_map_url: str | None = Field(None, title="Where the author keeps the map")
    alerts: int = Field(0, ge=0, title="Alerts that stand as associated")
    objects: int = Field(0, ge=0, title="Objects among them")
    withdrawn: int = Field(0, ge=0, title="Alerts whose association was withdrawn")
    tiers: dict[str, int] = Field(default_factory=dict, title="Objects by tier")
    candidates: tuple[EventCandidate, ...] = Field((), title="The 20 best objects, ranked")
    coincidences: tuple[str, ...] = Field((), title="Coincidences with other events that stand")

    @property
    def key(self) -> bytes:
        """Kafka key, and identity in the archive: role and event."""
        return f"{self.role}/{self.event_id}".encode()

    def to_json(self) -> bytes:
        """The event as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> EventRecord:
        """Read an event back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
