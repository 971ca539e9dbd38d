"""GCN counterpart positions: what one telescope saw of another's event; radii are 90 %."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("Counterpart", r"nasa\.gsfc\.gcn/COUNTERPART")


def read(document: Document) -> Reading:
    """Named by the trigger it belongs to; Swift's trigger is an alias."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
    telescope, number = (document.params.get(n, "").strip() for n in ("Telescope", "TrigID"))
    reading = replace(reading, instruments=tuple(filter(None, [telescope])))
    if telescope.startswith("Swift") and number:
        reading = replace(reading, aliases=(f"Swift_{number}",))
    return reading


COUNTERPART = NoticeType(
    "counterpart", "x_ray", windows.X_RAY, _FAMILY.recognises, read, healpix_file
)
