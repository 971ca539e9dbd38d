"""Notice types that differ by name, stream and containment: a ``Family`` makes one.

Reads GCN classic VOEvents (and any other VOEvent with a position) and GCN unified-schema JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    AssociationWindow,
    Document,
    NoticeType,
    Reading,
    circle,
    event_times,
)
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.places import quadrants
from services.mma.notices.voevent import VOEvent
from shared.schemas.notice import Localization, Messenger, Role

_ID_PARAMS = (
    "TrigID",
    "Trigger_Number",
    "TRIGGER_NUM",
    "AMON_ID",
    "Trans_Num",
    "EVENT_ID",
    "Burst_Id",
    "Name",
)
_TEST_PARAMS = ("Test_Submission", "Test_Notice", "Test", "InternalTest")
_NOT_AN_EVENT_PARAMS = ("Retraction", "Def_NOT_a_GRB", "Def_Not_a_GRB", "DEF_NOT_GRB")
_VETO_PARAMS = {
    "StarTrack_Lost_Lock": "the star tracker had lost its lock",
    "ImTrig_during_ST_LoL": "an image trigger while the star tracker had lost its lock",
    "Target_in_Flt_Catalog": "a known source (flight catalog)",
    "Target_in_Gnd_Catalog": "a known source (ground catalog)",
    "Target_in_Blk_Catalog": "a source that the mission blocks",
    "NonGRB": "the mission says it is no burst",
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
    place = localization or position_of(event, containment)
    role: Role = "test" if event.is_true(*_TEST_PARAMS) else _role(event.role)
    return Reading(
        event_id=event_id,
        event_mjd_tai=mjd_tai,
        issued_ms=issued_ms,
        role=role,
        alert_kind="retraction" if retracted else "initial" if not event.citations else "update",
        serial=int(event.number("Pkt_Ser_Num") or event.number("Rev") or 0),
        rank=rank if place is not None else 0,
        localization=place,
        far_hz=_far_hz(event),
        vetoes=tuple(why for name, why in _VETO_PARAMS.items() if event.is_true(name)),
    )


def position_of(event: VOEvent, containment: float) -> Localization | None:
    """Error circle, or the ellipse of VOEvent 2.1's Error2 (errors of both coordinates)."""
    if event.error_deg or event.errors_deg is None or event.ra_deg is None or event.dec_deg is None:
        return circle(event.ra_deg, event.dec_deg, event.error_deg, containment)
    east, north = event.errors_deg
    return quadrants(event.ra_deg, event.dec_deg, (east, east, north, north), containment)


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
