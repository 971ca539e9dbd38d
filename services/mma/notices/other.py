"""Whatever no other type recognises: any VOEvent, any notice of the GCN unified schema."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    Document,
    JsonNotice,
    NoticeType,
    Reading,
    is_number,
)
from services.mma.notices.families import read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent
from shared.schemas.notice import Messenger

_SOFTEST_GAMMA_KEV = 30.0


def recognises(document: Document) -> bool:
    """Any VOEvent; JSON with a GCN schema, or with the schema's time and place."""
    if isinstance(document, VOEvent):
        return True
    has_time = "trigger_time" in document.fields or "alert_datetime" in document.fields
    return bool(document.schema) or has_time


def read(document: Document) -> Reading:
    """Read the position and error, named by the IVORN or by mission and id."""
    if isinstance(document, VOEvent):
        return read_voevent(document, "", DEFAULT_CONTAINMENT, event_id=document.ivorn)
    prefix = "_".join(filter(None, [document.text("mission"), document.text("instrument")]))
    reading = read_gcn_json(document, prefix or _first_of(document), DEFAULT_CONTAINMENT)
    return replace(reading, messenger=_messenger(document))


def _first_of(notice: JsonNotice) -> str:
    return notice.schema.split("/", maxsplit=1)[0] or "GCN"


def _messenger(notice: JsonNotice) -> Messenger:
    """By ``messenger`` and, for light, by ``spectral_band`` (keV unless it says nm or MHz)."""
    match notice.text("messenger"), notice.text("spectral_band_units"):
        case "GW", _:
            return "gravitational_wave"
        case "Neutrino", _:
            return "neutrino"
        case _, "MHz":
            return "radio"
        case _, "nm":
            return "optical"
    band = notice.fields.get("spectral_band")
    highest = band[-1] if isinstance(band, list) and band else None
    return "x_ray" if is_number(highest) and highest <= _SOFTEST_GAMMA_KEV else "gamma_ray"


OTHER = NoticeType("other", "gamma_ray", windows.UNKNOWN, recognises, read, healpix_file)
