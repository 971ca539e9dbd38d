"""AMON's other streams: neutrinos with gamma rays (NU_EM)."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    Document,
    NoticeType,
    Reading,
    circle,
)
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("AMON", r"nasa\.gsfc\.gcn/AMON")


def read_arcminutes(
    event: VOEvent, prefix: str, containment: float, event_id: str | None
) -> Reading:
    """Read a packet that gives its 90 % radius in arcminutes, and that of 50 % in WhereWhen."""
    radius = event.number("src_err_90")
    place = None
    if radius is not None:
        place = circle(event.ra_deg, event.dec_deg, radius / 60.0, containment)
    return read_voevent(event, prefix, containment, event_id=event_id, localization=place)


def read(document: Document) -> Reading:
    """Events are numbered by ``Event_ID``."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    number = document.params.get("Event_ID")
    event_id = f"AMON_{number}" if number else None
    return read_arcminutes(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, event_id)


AMON = NoticeType("amon", "neutrino", windows.NEUTRINO, _FAMILY.recognises, read, healpix_file)
