"""Super-Kamiokande: supernova neutrinos, with a direction and a distance in kiloparsecs."""

from __future__ import annotations

from dataclasses import replace

from services.mma.notices import windows
from services.mma.notices.base import GBM_CONTAINMENT, Document, NoticeType, Reading, circle
from services.mma.notices.families import Family, read_voevent
from services.mma.notices.gcn_json import healpix_file, read_gcn_json
from services.mma.notices.voevent import VOEvent

_FAMILY = Family("SuperK", r"nasa\.gsfc\.gcn/SK_SN", ("superk/",), GBM_CONTAINMENT)
_RADII = ((0.9, "Src_Error90"), (0.68, "Src_Error68"), (0.95, "Src_Error95"))


def read(document: Document) -> Reading:
    """Read either format; the packet's own error is 0, its parameters say the radii."""
    if not isinstance(document, VOEvent):
        return read_gcn_json(document, _FAMILY.prefix, GBM_CONTAINMENT)
    ra, dec = document.ra_deg, document.dec_deg
    said = ((level, document.number(name)) for level, name in _RADII)
    place = next((p for level, r in said if (p := circle(ra, dec, r, level)) is not None), None)
    near, far = document.number("Min_Distance"), document.number("Max_Distance")
    if place is not None and near is not None and far is not None and 0 < near <= far:
        place = place.model_copy(
            update={
                "distance_mpc": (near + far) / 2e3,
                "distance_err_mpc": (far - near) / 2e3,
            }
        )
    reading = read_voevent(document, _FAMILY.prefix, GBM_CONTAINMENT, localization=place)
    return replace(reading, instruments=("Super-Kamiokande",))


SUPERK = NoticeType(
    "superk", "neutrino", windows.GALACTIC_SUPERNOVA, _FAMILY.recognises, read, healpix_file
)
