"""UTMOST: fast radio bursts, placed by the beam (semi-axes in arcminutes)."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading, circle
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("UTMOST_FRB", r"au\.edu\.swin/utmost")


def read(document: Document) -> Reading:
    """The ellipse of the beam; the packet's own radius is its long axis."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    long, short = (document.number(f"beam_semi-{axis}_axis") for axis in ("major", "minor"))
    reading = read_voevent(document, _FAMILY.prefix, DEFAULT_CONTAINMENT)
    if long is None or short is None or not 0 < short <= long:
        return reading
    place = circle(document.ra_deg, document.dec_deg, long / 60.0, DEFAULT_CONTAINMENT)
    if place is None or short == long:
        return reading
    # The beam's rotation is about the long axis, which lies north to south at 0.
    angle = document.number("beam_rotation_angle") or 0.0
    shape = {"kind": "ellipse", "semi_minor_deg": short / 60.0, "position_angle_deg": angle}
    return replace(reading, localization=place.model_copy(update=shape))


UTMOST_FRB = NoticeType(
    "utmost_frb", "radio", windows.RADIO, _FAMILY.recognises, read, healpix_file
)
