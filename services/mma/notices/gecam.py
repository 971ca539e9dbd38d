"""GECAM: positions in flight and from the ground; the radius is 68 %, statistical."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import GBM_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("GECAM", r"nasa\.gsfc\.gcn/GECAM", ("gecam/",), containment=GBM_CONTAINMENT)


def read(document: Document) -> Reading:
    """Read either format; a class of the mission's own other than GRB is a veto."""
    if not isinstance(document, VOEvent):
        return read_gcn_json(document, _FAMILY.prefix, GBM_CONTAINMENT)
    rank = 2 if "GND" in document.stream else 1
    reading = read_voevent(document, _FAMILY.prefix, GBM_CONTAINMENT, rank=rank)
    kind = document.params.get("SRC_CLASS", "").strip()
    if not kind:
        return reading
    vetoes = () if kind == "GRB" else (f"the mission's class is {kind}",)
    return replace(reading, classification={kind: 1.0}, vetoes=(*reading.vetoes, *vetoes))


GECAM = NoticeType("gecam", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file)
