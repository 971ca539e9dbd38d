"""SNEWS: coincidence of supernova neutrinos in several detectors; mostly without a direction."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import GBM_CONTAINMENT, Document, NoticeType, Reading, circle
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.places import ALL_SKY
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("SNEWS", r"nasa\.gsfc\.gcn/SNEWS", ("snews/",), GBM_CONTAINMENT)


def read(document: Document) -> Reading:
    """The whole sky where no direction is said: the event is real wherever it is."""
    if isinstance(document, VOEvent):
        place = circle(document.ra_deg, document.dec_deg, document.error_deg, GBM_CONTAINMENT)
        reading = read_voevent(
            document, _FAMILY.prefix, GBM_CONTAINMENT, localization=place or ALL_SKY
        )
    else:
        reading = _FAMILY.read(document)
    if reading.localization is None and reading.alert_kind != "retraction":
        reading = replace(reading, localization=ALL_SKY)
    if reading.alert_kind == "retraction":
        reading = replace(reading, localization=None)
    return reading


SNEWS = NoticeType(
    "snews", "neutrino", windows.GALACTIC_SUPERNOVA, _FAMILY.recognises, read, healpix_file
)
