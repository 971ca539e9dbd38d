"""Fermi GBM: alert, flight, ground, final and sub-threshold notices, VOEvent and JSON.

The radius is statistical, 68 %; the systematic error is a core and a tail, by the kind of
localization (Connaughton et al. 2015, ApJS 216, 32, table 2).
"""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import (
    GBM_CONTAINMENT,
    Document,
    NoticeType,
    Reading,
    circle,
)
from services.mma.notices.families import Family, healpix_file, read_gcn_json, read_voevent
from services.mma.notices.voevent import VOEvent

FLIGHT = ((0.897, 7.52), (0.103, 55.6))
GROUND = ((0.804, 3.72), (0.196, 13.7))
FINAL = ((0.900, 3.71), (0.100, 14.3))

_FAMILY = Family(
    "Fermi_GBM", r"nasa\.gsfc\.gcn/Fermi#GBM", ("fermi/gbm",), containment=GBM_CONTAINMENT
)
# Stream (or JSON subtype) to precision and systematics; the first that is found counts.
_KINDS: tuple[tuple[tuple[str, ...], int, tuple[tuple[float, float], ...]], ...] = (
    (("Fin_Pos", "FINAL"), 3, FINAL),
    (("Gnd_Pos", "GROUND"), 2, GROUND),
    (("SubThresh", "SUBTHRESH"), 1, GROUND),
    (("Flt_Pos", "FLIGHT"), 1, FLIGHT),
    (("",), 0, FLIGHT),
)


def _kind_of(words: str) -> tuple[int, tuple[tuple[float, float], ...]]:
    return next(
        (rank, systematics)
        for marks, rank, systematics in _KINDS
        if any(mark in words for mark in marks)
    )


def read(document: Document) -> Reading:
    """Read either format; GBM Alert says no position."""
    if isinstance(document, VOEvent):
        rank, systematics = _kind_of(document.stream)
        place = circle(
            document.ra_deg, document.dec_deg, document.error_deg, GBM_CONTAINMENT, systematics
        )
        return read_voevent(
            document, _FAMILY.prefix, GBM_CONTAINMENT, rank=rank, localization=place
        )
    rank, systematics = _kind_of(document.text("subtype").upper())
    return read_gcn_json(
        document, _FAMILY.prefix, GBM_CONTAINMENT, rank=rank, systematics=systematics
    )


FERMI_GBM = NoticeType(
    "fermi_gbm", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file
)
