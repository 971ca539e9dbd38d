"""The region of the sky a notice speaks of, ready for positions."""

from __future__ import annotations

from services.mma.notices import sky_map_of
from services.mma.skymaps.base import Region
from services.mma.skymaps.ellipse import ErrorEllipse
from services.mma.skymaps.fisher import error_circle
from services.mma.skymaps.fits import read_sky_map
from shared.errors import RejectedRecordError
from shared.schemas.notice import Notice


def region_of(notice: Notice) -> Region | None:
    """Compile the localization of a notice; None if it has none.

    Raises
    ------
    RejectedRecordError
        If the map in the payload cannot be read (it could when the notice was taken in).
    """
    place = notice.localization
    if place is None:
        return None
    if place.kind == "sky_map":
        payload = sky_map_of(notice)
        if payload is None:
            raise RejectedRecordError("bad_sky_map", f"{notice.notice_id}: the map is not there")
        return read_sky_map(payload)
    if place.radius_deg is None or place.containment is None:
        raise RejectedRecordError("bad_position", f"{notice.notice_id}: a circle without radius")
    if place.kind == "ellipse" and place.semi_minor_deg is not None:
        return ErrorEllipse(
            place.ra_deg,
            place.dec_deg,
            place.radius_deg,
            place.semi_minor_deg,
            place.position_angle_deg or 0.0,
            place.containment,
        )
    return error_circle(
        place.ra_deg, place.dec_deg, place.radius_deg, place.containment, place.systematics
    )
