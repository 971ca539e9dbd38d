"""Catalina Real-Time Transient Survey (VOEventNet, until 2014)."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("CRTS", r"nvo\.caltech/voeventnet")


def read(document: Document) -> Reading:
    """Named by the packet; the survey's designation is an alias."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
    name = document.params.get("CSSID", "").strip()
    return replace(reading, aliases=(name,)) if name else reading


CRTS = NoticeType("crts", "optical", windows.OPTICAL, _FAMILY.recognises, read, healpix_file)
