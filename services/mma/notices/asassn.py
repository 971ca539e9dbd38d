"""ASAS-SN transients, as 4PiSky's robot reads them from the survey's page."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("ASASSN", r"voevent\.4pisky\.org/ASASSN")


def read(document: Document) -> Reading:
    """Events are named by the survey, with the other names as aliases."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, event_id=document.ivorn)
    names = (document.params.get(name, "").strip() for name in ("id_assasn", "id_other"))
    return replace(reading, aliases=tuple(n for n in names if n and n != "---"))


ASASSN = NoticeType("asassn", "optical", windows.OPTICAL, _FAMILY.recognises, read, healpix_file)
