"""SVOM: ECLAIRs, GRM, MXT and VT, as VOEvent 2.0 and JSON; radii are 90 % with systematics."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("SVOM", r"org\.svom/", ("svom/",))
_RANKS = {"VT": 3, "MXT": 2, "ECLAIRS": 1}


def read(document: Document) -> Reading:
    """Read either format. VT supersedes MXT supersedes ECLAIRs; GRM alone hardly places."""
    if isinstance(document, VOEvent):
        instrument = document.params.get("Instrument", "")
        rank = _RANKS.get(instrument.upper(), 0)
        reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, rank=rank)
        reading = replace(reading, instruments=tuple(filter(None, [instrument])))
        name = document.params.get("Source_Name", "").strip()
    else:
        rank = _RANKS.get(document.text("instrument").upper(), 0)
        reading = read_gcn_json(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, rank=rank)
        # Bursts have no name when they are told; sources of the catalog on board have.
        name = document.text("event_name")
    if not name:
        return reading
    aliases = tuple(dict.fromkeys([*reading.aliases, name]))
    return replace(reading, aliases=aliases, vetoes=(f"a known source: {name}",))


SVOM = NoticeType("svom", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file)
