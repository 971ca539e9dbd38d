"""The region of the sky a notice speaks of, ready for positions."""

from __future__ import annotations

import math

from scipy.special import erfinv

from services.mma.notices import sky_map_of
from services.mma.skymaps.base import Region
from services.mma.skymaps.ellipse import ErrorEllipse
from services.mma.skymaps.fisher import error_circle
from services.mma.skymaps.fits import read_sky_map
from services.mma.skymaps.polygon import ErrorPolygon
from services.mma.skymaps.tangent import ErrorAnnulus, QuadrantEllipse
from services.mma.skymaps.whole_sky import WholeSky
from shared.errors import RejectedRecordError
from shared.schemas.notice import Localization, Notice


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
    try:
        return _of_formula(place)
    except ValueError as error:
        raise RejectedRecordError("bad_position", f"{notice.notice_id}: {error}") from error


def _of_formula(place: Localization) -> Region:
    """The region of a place that is no map; ``ValueError`` if it lacks something."""
    at = (place.ra_deg, place.dec_deg)
    level = place.containment
    if place.kind == "all_sky":
        return WholeSky()
    if level is None:
        raise ValueError(f"a {place.kind} without containment")
    if place.kind == "quadrants" and place.errors_deg is not None:
        return QuadrantEllipse(*at, *place.errors_deg, level)
    if place.kind == "polygon":
        return ErrorPolygon(*at, place.corners_deg, level)
    if place.radius_deg is None:
        raise ValueError(f"a {place.kind} without radius")
    if place.kind == "ellipse" and place.semi_minor_deg is not None:
        angle = place.position_angle_deg or 0.0
        return ErrorEllipse(*at, place.radius_deg, place.semi_minor_deg, angle, level)
    if place.kind == "annulus" and place.half_width_deg is not None:
        # Gaussian across: erf(half width / (sigma sqrt 2)) is the containment.
        sigma_deg = place.half_width_deg / (math.sqrt(2.0) * float(erfinv(level)))
        return ErrorAnnulus(*at, place.radius_deg, sigma_deg)
    return error_circle(*at, place.radius_deg, level, place.systematics)
