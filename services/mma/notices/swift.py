"""Swift: BAT, XRT and UVOT positions of one trigger, and BAT-GUANO JSON. Radii are 90 %."""

from __future__ import annotations

import re
from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("Swift", r"nasa\.gsfc\.(gcn|tan)/(SWIFT|Swift)", ("swift/",))
_RANKS = (("UVOT", 3), ("XRT", 2), ("BAT", 1))
_FERMI_TRIGGER = re.compile(r"Fermi[ _-]*(?:GBM[ _-]*)?(\d+)", re.IGNORECASE)
_NO_EVENT = re.compile(r"#BAT_(SubSubThresh|Known)")
"""Five-sigma noise (450 a day) and known sources: kept, but they place no event."""


def read(document: Document) -> Reading:
    """Read either format. UVOT supersedes XRT supersedes BAT; images and spectra place nothing."""
    if not isinstance(document, VOEvent):
        reading = read_gcn_json(document, "Swift_GUANO", DEFAULT_CONTAINMENT)
        trigger = _FERMI_TRIGGER.fullmatch(document.text("follow_up_event").strip())
        # A search on the ground for a burst that Fermi saw: the same burst.
        searched = (f"Fermi_GBM_{trigger[1]}",) if trigger else ()
        return replace(reading, aliases=(*reading.aliases, *searched))
    rank = next((rank for mark, rank in _RANKS if mark in document.stream), 0)
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, rank=rank)
    if _NO_EVENT.search(document.stream):
        remark = "sub-sub-threshold or known source: its position was left out"
        return replace(reading, localization=None, rank=0, remarks=(remark,))
    return reading


SWIFT = NoticeType("swift", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file)
