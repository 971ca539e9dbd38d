"""Einstein Probe: WXT positions (3', 90 % with systematics), sharper ones of FXT."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, JsonNotice, NoticeType, Reading
from services.mma.notices.families import Family
from services.mma.notices.gcn_json import healpix_file, read_gcn_json

_FAMILY = Family("EP", r"[^#]*einstein_?probe", ("einstein_probe/",))


def read(document: Document) -> Reading:
    """FXT supersedes WXT."""
    if not isinstance(document, JsonNotice):
        return _FAMILY.read(document)
    rank = 2 if document.text("instrument").upper() == "FXT" else 1
    return read_gcn_json(document, _FAMILY.prefix, DEFAULT_CONTAINMENT, rank=rank)


EINSTEIN_PROBE = NoticeType(
    "einstein_probe", "x_ray", windows.X_RAY, _FAMILY.recognises, read, healpix_file
)
