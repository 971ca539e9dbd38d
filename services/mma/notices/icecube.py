"""IceCube tracks and cascades (AMON VOEvents, GCN JSON). Radii are 90 %.

Event names are ``IceCube_<run>_<event>`` in both formats.
"""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, healpix_file, read_gcn_json, read_voevent
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("IceCube", r"(nasa\.gsfc\.gcn|amon)/(AMON|amon).*ICECUBE", ("icecube/",))


def read(document: Document) -> Reading:
    """Read either format; a search about a gravitational wave names that event as its own."""
    if not isinstance(document, VOEvent):
        if document.schema.startswith("icecube/lvk"):
            return read_gcn_json(document, f"IceCube_LVK_{document.text('ref_ID')}", 0.9)
        return read_gcn_json(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
    run, event = document.params.get("run_id"), document.params.get("event_id")
    event_id = f"{_FAMILY.prefix}_{run}_{event}" if run and event else None
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, event_id=event_id)
    signalness = document.number("signalness")
    return _with_signalness(reading, signalness)


def _with_signalness(reading: Reading, signalness: float | None) -> Reading:
    if signalness is not None:
        reading.classification["signalness"] = signalness
    return reading


ICECUBE = NoticeType(
    "icecube", "neutrino", windows.NEUTRINO, _FAMILY.recognises, read, healpix_file
)
