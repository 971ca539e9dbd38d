"""Fermi GBM: alert, flight, ground, final and sub-threshold notices, VOEvent and JSON.

The radius is statistical, 68 %; the systematic error is a core and a tail, by the kind of
localization (Connaughton et al. 2015, ApJS 216, 32, table 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import (
    GBM_CONTAINMENT,
    Document,
    NoticeType,
    Reading,
    circle,
)
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
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


CLASSES = {
    1: "UNRELIABLE_LOCATION",
    2: "LOCAL_PARTICLES",
    3: "BELOW_HORIZON",
    4: "GRB",
    5: "GENERIC_SGR",
    6: "GENERIC_TRANSIENT",
    7: "DISTANT_PARTICLES",
    8: "SOLAR_FLARE",
    9: "CYG_X1",
    10: "SGR_1806_20",
    11: "GROJ_0422_32",
    19: "TGF",
}
"""Numbers of the flight software's classes (gcn.gsfc.nasa.gov, notices of type 111)."""


def _classification(event: VOEvent) -> dict[str, float]:
    """The two likeliest classes of a flight notice, as probabilities."""
    found = {}
    for which in ("Sec_Most_Likely", "Most_Likely"):
        index, percent = event.number(f"{which}_Index"), event.number(f"{which}_Prob")
        if index is not None and percent is not None and 0 <= percent <= 100:
            found[CLASSES.get(int(index), f"CLASS_{int(index)}")] = percent / 100.0
    return found


def _vetoes(classification: Mapping[str, float]) -> tuple[str, ...]:
    """Where the flight software thinks that it is something else than a burst."""
    if not classification or ("GRB" in classification and classification["GRB"] >= 0.5):
        return ()
    likeliest = max(classification, key=lambda name: classification[name])
    return (f"the flight software's likeliest class is {likeliest}",) if likeliest != "GRB" else ()


def _map_url(event: VOEvent) -> str | None:
    """The sub-threshold search's map, or a map in place of the usual plot."""
    urls = (event.params.get(name, "") for name in ("HealPix_URL", "LocationMap_URL"))
    return next((url for url in urls if url.endswith((".fit", ".fits", ".fits.gz"))), None)


def read(document: Document) -> Reading:
    """Read either format; GBM Alert says no position."""
    if isinstance(document, VOEvent):
        rank, systematics = _kind_of(document.stream)
        place = circle(
            document.ra_deg, document.dec_deg, document.error_deg, GBM_CONTAINMENT, systematics
        )
        reading = read_voevent(
            document, _FAMILY.prefix, GBM_CONTAINMENT, rank=rank, localization=place
        )
        reading = replace(
            reading, classification=_classification(document), sky_map_url=_map_url(document)
        )
    else:
        rank, systematics = _kind_of(document.text("subtype").upper())
        reading = read_gcn_json(
            document, _FAMILY.prefix, GBM_CONTAINMENT, rank=rank, systematics=systematics
        )
    return replace(reading, vetoes=(*reading.vetoes, *_vetoes(reading.classification)))


FERMI_GBM = NoticeType(
    "fermi_gbm", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file
)
