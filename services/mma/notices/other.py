"""Whatever no other type recognises: any VOEvent, any notice of the GCN unified schema."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import (
    DEFAULT_CONTAINMENT,
    Document,
    JsonNotice,
    NoticeType,
    Reading,
)
from services.mma.notices.families import healpix_file, read_gcn_json, read_voevent
from services.mma.notices.voevent import VOEvent


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
    return read_gcn_json(document, prefix or _first_of(document), DEFAULT_CONTAINMENT)


def _first_of(notice: JsonNotice) -> str:
    return notice.schema.split("/", maxsplit=1)[0] or "GCN"


OTHER = NoticeType("other", "gamma_ray", windows.UNKNOWN, recognises, read, healpix_file)
