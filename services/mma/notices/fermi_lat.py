"""Fermi LAT: offline and updated positions of bursts (90 %), and flares of monitored sources."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("Fermi_LAT", r"nasa\.gsfc\.gcn/Fermi#LAT", ("fermi/lat",))
_RANKS = (("Offline_Pos", 3), ("Updated_Pos", 2), ("Pos", 1))
_KNOWN = "a flare of a known source"


def read(document: Document) -> Reading:
    """Read either format; a monitored source is known, so its flare places no new transient."""
    if not isinstance(document, VOEvent):
        reading = read_gcn_json(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
        return replace(reading, vetoes=(_KNOWN,)) if "flare" in document.schema else reading
    rank = next((rank for mark, rank in _RANKS if mark in document.stream), 0)
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, rank=rank)
    source = document.params.get("SourceName")
    return replace(reading, aliases=(source,), vetoes=(_KNOWN,)) if source else reading


FERMI_LAT = NoticeType(
    "fermi_lat", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file
)
