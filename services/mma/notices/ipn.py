"""The interplanetary network: annuli of two spacecraft, and bare times."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import DEFAULT_CONTAINMENT, Document, NoticeType, Reading
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file
from services.mma.notices.places import annulus
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("IPN", r"nasa\.gsfc\.gcn/IPN", ("ipn/",))
ANNULUS_CONTAINMENT = 0.9973
"""The network gives half widths of three sigma (Hurley et al. 2013, ApJS 207, 39)."""


def read(document: Document) -> Reading:
    """The annulus of IPN_RA_Center, IPN_Dec_Center, IPN_Radius and IPN_Width, if there is one."""
    if not isinstance(document, VOEvent):
        return _FAMILY.read(document)
    names = ("IPN_RA_Center", "IPN_Dec_Center", "IPN_Radius", "IPN_Width")
    said = [document.number(name) for name in names]
    ring = None
    if None not in said:
        ra, dec, radius, width = (value for value in said if value is not None)
        ring = annulus(ra, dec, radius, width, ANNULUS_CONTAINMENT)
    number = document.params.get("TrigID", "").strip()
    has_number = number.lstrip("-").isdigit() and int(number) > 0
    # A raw time has the number -1: its packets are events of their own.
    event_id = f"IPN_{number}" if has_number else document.ivorn
    return read_voevent(
        document,
        _FAMILY.prefix,
        DEFAULT_CONTAINMENT,
        event_id=event_id,
        rank=1,
        localization=ring,
    )


IPN = NoticeType("ipn", "gamma_ray", windows.BURST, _FAMILY.recognises, read, healpix_file)
