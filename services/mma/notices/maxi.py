"""MAXI: known and unknown sources; circles, ellipses and rectangles of 90 %."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("MAXI", r"nasa\.gsfc\.gcn/MAXI", ("maxi/",))


def read(document: Document) -> Reading:
    """Read either format; a flare of a known source is no new transient."""
    if isinstance(document, VOEvent):
        reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
        name, is_known = document.params.get("Source_Name", "").strip(), "#Known" in document.stream
    else:
        reading = read_gcn_json(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
        name, is_known = "", document.schema.endswith(".known")
    if not is_known:
        return reading
    aliases = tuple(dict.fromkeys([*reading.aliases, *filter(None, [name])]))
    return replace(reading, aliases=aliases, vetoes=("a flare of a known source",))


MAXI = NoticeType("maxi", "x_ray", windows.X_RAY, _FAMILY.recognises, read, healpix_file)
