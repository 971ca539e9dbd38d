"""HAWC burst monitor, by AMON. ``src_err_90`` is in arcminutes."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.amon import read_arcminutes
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("HAWC", r"nasa\.gsfc\.gcn/AMON.*HAWC")


def read(document: Document) -> Reading:
    """Run and event name it; the radius is 90 %."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    run, event = document.params.get("run_id"), document.params.get("event_id")
    event_id = f"HAWC_{run}_{event}" if run and event else None
    return read_arcminutes(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, event_id)


HAWC = NoticeType("hawc", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file)
