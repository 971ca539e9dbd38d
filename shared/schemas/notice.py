"""A notice: what an observatory says about a gravitational wave, neutrino, burst or transient.

Raw and parsed in one record, so that anyone can parse it again. JSON on the ``notices`` topic.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator

MAX_NOTICE_BYTES = 4 * 1024 * 1024
"""Largest payload: GCN's own limit (igwn.gwalert with its map is about 1 MB)."""

Role = Literal["observation", "prediction", "utility", "test", "injection"]
AlertKind = Literal["early_warning", "preliminary", "initial", "subsequent", "update", "retraction"]
Messenger = Literal["gravitational_wave", "neutrino", "gamma_ray", "x_ray", "radio", "optical"]


class Localization(BaseModel):
    """Where on the sky, ICRS; FK5 J2000 is taken as ICRS (they differ by 0.02 arcsec)."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["circle", "ellipse", "sky_map", "quadrants", "annulus", "polygon", "all_sky"] = (
        Field(title="Shape of the region")
    )
    ra_deg: float = Field(ge=0, lt=360, title="Right ascension of the centre, or the map's mode")
    dec_deg: float = Field(ge=-90, le=90, title="Declination of the centre, or the map's mode")
    radius_deg: float | None = Field(
        None,
        ge=0,
        le=180,
        title="Radius that has the containment; semi-major axis of an ellipse; of an annulus, the "
        "radius of its middle",
    )
    semi_minor_deg: float | None = Field(None, gt=0, le=180, title="Semi-minor axis of an ellipse")
    position_angle_deg: float | None = Field(
        None, title="Position angle of an ellipse's major axis, from north to east"
    )
    containment: float | None = Field(
        None, gt=0, lt=1, title="Probability inside radius_deg; null for a map"
    )
    systematics: tuple[tuple[float, float], ...] = Field(
        (), title="Mixture of systematic errors: fraction and 1-sigma (68 %) radius in degrees"
    )
    area_90_deg2: float | None = Field(None, ge=0, title="Area of the map's 90 % credible region")
    distance_mpc: float | None = Field(None, title="Posterior mean luminosity distance")
    distance_err_mpc: float | None = Field(None, title="Its standard deviation")
    sky_map_sha256: str | None = Field(None, title="Identity of the map that is in the payload")
    errors_deg: tuple[float, float, float, float] | None = Field(
        None,
        title="Quadrants: errors to the east, west (degrees of right ascension), north and south",
    )
    half_width_deg: float | None = Field(
        None, gt=0, le=90, title="Annulus: half width that has the containment"
    )
    corners_deg: tuple[tuple[float, float], ...] = Field(
        (), title="Polygon: right ascension and declination of its corners, in order"
    )


class Notice(BaseModel):
    """One notice, as received and as understood. Never changed once written."""

    model_config = ConfigDict(frozen=True)

    notice_id: str = Field(title="BLAKE2b-128 of the payload, hexadecimal")
    notice_type: str = Field(title="Registry name of the notice type")
    messenger: Messenger = Field(title="What carried the news")
    event_id: str = Field(title="Event it is about; the same for all notices and formats of it")
    aliases: tuple[str, ...] = Field((), title="Other names of the event")
    format: Literal["voevent", "json"] = Field(title="Format of the payload")
    role: Role = Field(title="Whether it is real: VOEvent roles and injection")
    alert_kind: AlertKind = Field(title="Place in the life of the event")
    serial: int = Field(0, title="The author's own number of this version; 0 where there is none")
    rank: int = Field(0, title="Precision among an event's notices: the higher supersedes")
    issued_ms: int = Field(title="When the author wrote it, Unix time, milliseconds")
    received_ms: int = Field(title="When Tocsin took it in, Unix time, milliseconds")
    event_time: str = Field(title="Time of the event, UTC, ISO 8601")
    event_mjd_tai: float = Field(title="Time of the event, modified Julian date, TAI, days")
    ivorn: str | None = Field(None, title="IVOA identifier; null for JSON")
    localization: Localization | None = Field(None, title="Null if it says no usable place")
    sky_map_url: str | None = Field(None, title="Where the author keeps the map")
    far_hz: float | None = Field(None, ge=0, title="False alarm rate, Hz")
    significant: bool | None = Field(None, title="The author calls it significant")
    classification: dict[str, float] = Field(
        default_factory=dict, title="Class probabilities under the author's own names"
    )
    instruments: tuple[str, ...] = Field((), title="Instruments that saw it")
    cites: tuple[str, ...] = Field((), title="Identifiers of notices it follows or supersedes")
    remarks: tuple[str, ...] = Field((), title="What was repaired or left out, and why")
    p_astro: float | None = Field(
        None, ge=0, le=1, title="Probability that the event is of astrophysical origin"
    )
    vetoes: tuple[str, ...] = Field(
        (), title="Why it may be no transient: a known source, a star tracker that lost its lock"
    )
    redshift: float | None = Field(None, title="Redshift of the source, as its author has it")
    mission: str | None = Field(None, title="Mission that reports, under its own name")
    tense: str | None = Field(
        None, title="GCN's alert_tense: current, archival, planned, injection, commanded, test"
    )
    comment: str | None = Field(None, title="What the author adds in words")
    external: dict[str, str | float] = Field(
        default_factory=dict,
        title="Coincidence with another messenger's event as the author has it, under its names",
    )
    payload: bytes = Field(title="The notice itself, byte for byte; base64 in JSON")

    @field_serializer("payload")
    def _to_base64(self, payload: bytes) -> str:
        return base64.b64encode(payload).decode("ascii")

    @field_validator("payload", mode="before")
    @classmethod
    def _from_base64(cls, payload: object) -> object:
        return base64.b64decode(payload) if isinstance(payload, str) else payload

    @property
    def key(self) -> bytes:
        """Kafka key: the event, so that its notices stay in order."""
        return self.event_id.encode()

    def to_json(self) -> bytes:
        """The notice as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Notice:
        """Read a notice back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)


def notice_id_of(payload: bytes) -> str:
    """Identity of a notice: BLAKE2b-128 of its bytes (an IVORN does not identify a packet)."""
    return hashlib.blake2b(payload, digest_size=16).hexdigest()
