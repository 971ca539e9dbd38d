"""INTEGRAL (IBAS): wake-up, refined, weak and offline positions (90 %), and SPI-ACS light curves.

The mission ended in 2025; its notices are in the archives.
"""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("INTEGRAL", r"nasa\.gsfc\.gcn/INTEGRAL")
_RANKS = (("Offline", 3), ("Refined", 2), ("Pos", 1))


def read(document: Document) -> Reading:
    """Offline supersedes refined supersedes wake-up; SPI-ACS places nothing."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    rank = next((rank for mark, rank in _RANKS if mark in document.stream), 0)
    return read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, rank=rank)


INTEGRAL = NoticeType(
    "integral", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file
)
