"""Gaia photometric science alerts: the mission's own packets and 4PiSky's name the same event."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("Gaia", r"gaia\.cam\.uk/|voevent\.4pisky\.org/GAIA")


def read(document: Document) -> Reading:
    """Events are named by the alert: ``Gaia_Gaia16aac``."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    name = document.params.get("alert identifier") or document.params.get("Name")
    if not name and "#Gaia" in document.stream:
        name = document.stream.partition("#")[2]
    return read_voevent(
        document, _FAMILY.prefix, DEFAULT_CONTAINMENT, event_id=f"Gaia_{name}" if name else None
    )


GAIA = NoticeType("gaia", "optical", windows.OPTICAL, _FAMILY.recognises, read, healpix_file)
