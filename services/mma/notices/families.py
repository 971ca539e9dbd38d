"""Notice types that differ only by name, stream and containment: a table row makes one.

Reads GCN classic VOEvents (and any other VOEvent with a position) and GCN unified-schema JSON.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    AssociationWindow,
    Document,
    JsonNotice,
    NoticeType,
    Reading,
    circle,
    event_times,
)
from services.mma.notices.voevent import VOEvent
from shared.errors import RejectedRecordError
from shared.schemas.notice import AlertKind, Localization, Messenger, Role
from shared.sky.separation import separation_arcsec

_ID_PARAMS = ("TrigID", "Trigger_Number", "TRIGGER_NUM", "AMON_ID", "Trans_Num", "EVENT_ID", "Name")
_TEST_PARAMS = ("Test_Submission", "Test_Notice", "Test", "InternalTest")
_NOT_AN_EVENT_PARAMS = ("Retraction", "Def_NOT_a_GRB", "Def_Not_a_GRB", "DEF_NOT_GRB")
_JSON_ROLES: dict[str, Role] = {
    "test": "test",
    "injection": "injection",
    "planned": "prediction",
    "commanded": "utility",
}
_JSON_KINDS: dict[str, AlertKind] = {
    "initial": "initial",
    "subsequent": "subsequent",
    "update": "update",
    "retraction": "retraction",
}


@dataclass(frozen=True, slots=True)
class Family:
    """How one instrument's notices are told and read."""

    prefix: str
    """Event ids are ``<prefix>_<number>``."""
    streams: str = r"(?!)"
    """Regular expression at the start of the IVORN without ivo://."""
    schemas: tuple[str, ...] = ()
    """Starts of GCN schema paths."""
    containment: float = DEFAULT_CONTAINMENT
    unsaid_radius_deg: float | None = None
    """Radius where a VOEvent gives a position with error 0; None if that means no position."""

    def recognises(self, document: Document) -> bool:
        """Whether the document is of this family."""
        if isinstance(document, VOEvent):
            return re.match(self.streams, document.stream) is not None
        return bool(self.schemas) and document.schema.startswith(self.schemas)

    def read(self, document: Document) -> Reading:
        """What the document says, for families without peculiarities."""
        if isinstance(document, VOEvent):
            place = None
            if not document.error_deg and (document.ra_deg or document.dec_deg):
                place = circle(
                    document.ra_deg, document.dec_deg, self.unsaid_radius_deg, self.containment
                )
            return read_voevent(document, self.prefix, self.containment, localization=place)
        return read_gcn_json(document, self.prefix, self.containment)

    def notice_type(self, name: str, messenger: Messenger, window: AssociationWindow) -> NoticeType:
        """The notice type of this family."""
        return NoticeType(name, messenger, window, self.recognises, self.read, healpix_file)


def read_voevent(
    event: VOEvent,
    prefix: str,
    containment: float,
    *,
    event_id: str | None = None,
    rank: int = 0,
    localization: Localization | None = None,
) -> Reading:
    """Read a VOEvent by GCN's customs; ``localization`` replaces the plain error circle."""
    mjd_tai, issued_ms = event_times(event.event_time, event.issued, event.time_scale)
    number = next((event.params[name] for name in _ID_PARAMS if event.params.get(name)), None)
    if event_id is None:
        event_id = f"{prefix}_{number.strip()}" if number and number.strip("0 ") else event.ivorn
    retracted = event.is_true(*_NOT_AN_EVENT_PARAMS) or any(
        kind == "retraction" for kind, _ in event.citations
    )
    place = localization or circle(event.ra_deg, event.dec_deg, event.error_deg, containment)
    role: Role = "test" if event.is_true(*_TEST_PARAMS) else _role(event.role)
    return Reading(
        event_id=event_id,
        event_mjd_tai=mjd_tai,
        issued_ms=issued_ms,
        role=role,
        alert_kind="retraction" if retracted else "initial" if not event.citations else "update",
        serial=int(event.number("Pkt_Ser_Num") or 0),
        rank=rank if place is not None else 0,
        localization=place,
        far_hz=_far_hz(event),
    )


def _role(role: str) -> Role:
    match role:
        case "prediction" | "utility" | "test":
            return role
        case _:
            return "observation"


def _far_hz(event: VOEvent) -> float | None:
    """FAR of AMON's notices, which is per year."""
    far = event.number("FAR")
    return far / (365.25 * 86400.0) if far is not None and far >= 0 else None


def read_gcn_json(
    notice: JsonNotice,
    prefix: str,
    containment: float,
    *,
    rank: int = 0,
    systematics: tuple[tuple[float, float], ...] = (),
) -> Reading:
    """Read a notice of the GCN unified schema (core schemas v7)."""
    started = notice.text("trigger_time") or notice.text("observation_start")
    mjd_tai, issued_ms = event_times(started, notice.text("alert_datetime"))
    ids = notice.fields.get("id")
    names = [str(i) for i in ids] if isinstance(ids, list) else [str(ids)] if ids else []
    known_as = notice.fields.get("event_name")
    names += (
        [str(n) for n in known_as]
        if isinstance(known_as, list)
        else [str(known_as)]
        if known_as
        else []
    )
    remarks: tuple[str, ...] = ()
    place = json_localization(notice, containment, systematics)
    if notice.text("healpix_file"):
        place, remarks = _map_or(place, notice)
    return Reading(
        event_id=f"{prefix}_{names[0] if names else started or notice.text('alert_datetime')}",
        aliases=tuple(names[1:]),
        event_mjd_tai=mjd_tai,
        issued_ms=issued_ms,
        role=_JSON_ROLES.get(notice.text("alert_tense"), "observation"),
        alert_kind=_JSON_KINDS.get(notice.text("alert_type"), "initial"),
        serial=int(notice.number("record_number") or 0),
        rank=rank if place is not None else 0,
        localization=place,
        sky_map_url=notice.text("healpix_url") or None,
        far_hz=notice.number("far"),
        classification=_classification(notice.fields.get("classification")),
        instruments=tuple(filter(None, [notice.text("instrument")])),
        remarks=remarks,
    )


def json_localization(
    notice: JsonNotice, containment: float, systematics: tuple[tuple[float, float], ...] = ()
) -> Localization | None:
    """Circle or ellipse of ra, dec, ra_dec_error, or the circle about rectangular corners."""
    given = notice.number("containment_probability")
    level = given if given is not None and 0 < given < 1 else containment
    ra, dec = notice.number("ra"), notice.number("dec")
    error = notice.fields.get("ra_dec_error")
    if notice.fields.get("systematic_included") is True:
        systematics = ()
    if isinstance(error, list):
        axes = [float(e) for e in error if isinstance(e, int | float)]
        if len(axes) < 2 or min(axes[:2]) <= 0:
            return None
        place = circle(ra, dec, axes[0], level)
        if place is None or axes[0] == axes[1]:
            return place
        angle = axes[2] if len(axes) > 2 else 0.0
        return place.model_copy(
            update={"kind": "ellipse", "semi_minor_deg": axes[1], "position_angle_deg": angle}
        )
    if isinstance(error, int | float):
        return circle(ra, dec, float(error), level, systematics)
    return circle(ra, dec, _corner_radius_deg(ra, dec, notice.fields), level)


def _corner_radius_deg(ra: float | None, dec: float | None, fields: Any) -> float | None:
    corners = fields.get("rectangular_error_corners")
    if ra is None or dec is None or not isinstance(corners, list):
        return None
    try:
        ras, decs = zip(*((float(c[0]), float(c[1])) for c in corners), strict=True)
    except (TypeError, ValueError, IndexError) as error:
        raise RejectedRecordError("bad_position", f"rectangular_error_corners: {error}") from error
    return float(separation_arcsec(ra, dec, ras, decs).max()) / 3600.0


def healpix_file(document: Document) -> bytes | None:
    """The FITS map of ``healpix_file``, if it is one."""
    if not isinstance(document, JsonNotice):
        return None
    try:
        payload = base64.b64decode(document.text("healpix_file"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return payload or None


def _map_or(
    place: Localization | None, notice: JsonNotice
) -> tuple[Localization | None, tuple[str, ...]]:
    from services.mma.notices.maps import map_localization  # noqa: PLC0415 - astropy, on demand

    payload = healpix_file(notice)
    if payload is None:
        return place, ("healpix_file is not base64 and was left out",)
    try:
        return map_localization(payload), ()
    except RejectedRecordError as error:
        return place, (f"healpix_file was left out: {error.detail}",)


def _classification(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {str(k): float(v) for k, v in value.items() if isinstance(v, int | float)}
