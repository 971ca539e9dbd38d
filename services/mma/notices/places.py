"""Localizations other than circles: quadrants, annuli, boxes, the whole sky."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.mma.skymaps.polygon import ErrorPolygon
from services.mma.skymaps.tangent import in_tangent_plane
from shared.errors import RejectedRecordError
from shared.schemas.notice import Localization
from shared.sky.separation import separation_arcsec, unit_vectors

ALL_SKY = Localization(kind="all_sky", ra_deg=0.0, dec_deg=0.0, radius_deg=180.0)
"""It is known that something happened, but not where."""


def _checked(ra_deg: float, dec_deg: float) -> tuple[float, float]:
    if not -90 <= dec_deg <= 90 or not -360 <= ra_deg <= 720:
        raise RejectedRecordError("bad_position", f"ra {ra_deg}, dec {dec_deg} degrees")
    return ra_deg % 360.0 % 360.0, dec_deg


def quadrants(
    ra_deg: float, dec_deg: float, errors_deg: tuple[float, float, float, float], containment: float
) -> Localization:
    """Errors to the east, west (degrees of right ascension), north and south, all above 0.

    Raises
    ------
    RejectedRecordError
        ``bad_position``.
    """
    ra_deg, dec_deg = _checked(ra_deg, dec_deg)
    if not all(0 < error < 180 for error in errors_deg):
        raise RejectedRecordError("bad_position", f"errors {errors_deg} degrees: not in (0, 180)")
    return Localization(
        kind="quadrants",
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        radius_deg=max(errors_deg),
        errors_deg=errors_deg,
        containment=containment,
    )


def annulus(
    ra_deg: float, dec_deg: float, radius_deg: float, half_width_deg: float, containment: float
) -> Localization | None:
    """A ring about a centre; None where it has no radius or width (GCN writes -1 or 0).

    Raises
    ------
    RejectedRecordError
        ``bad_position``.
    """
    if not 0 < radius_deg < 180 or not 0 < half_width_deg <= 90:
        return None
    ra_deg, dec_deg = _checked(ra_deg, dec_deg)
    return Localization(
        kind="annulus",
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        radius_deg=radius_deg,
        half_width_deg=half_width_deg,
        containment=containment,
    )


def polygon(
    corners_deg: Sequence[Sequence[float]],
    containment: float,
    centre_deg: tuple[float, float] | None = None,
) -> Localization:
    """A box by its corners, in any order, about ``centre_deg`` (else their mean).

    Corners that do not go round a centre give the circle through the farthest of them.

    Raises
    ------
    RejectedRecordError
        ``bad_position``, for fewer than three corners or what is no pair of numbers.
    """
    try:
        corners = [_checked(float(ra), float(dec)) for ra, dec in corners_deg]
    except (TypeError, ValueError) as error:
        raise RejectedRecordError("bad_position", f"corners: {error}") from error
    if len(corners) < 3:
        raise RejectedRecordError("bad_position", f"{len(corners)} corners: at least 3 are needed")
    mean = unit_vectors(*zip(*corners, strict=True)).mean(axis=0)
    mean_place = (
        float(np.degrees(np.arctan2(mean[1], mean[0])) % 360.0 % 360.0),
        float(np.degrees(np.arctan2(mean[2], np.hypot(mean[0], mean[1])))),
    )
    places = [mean_place] if centre_deg is None else [_checked(*centre_deg), mean_place]
    for ra_deg, dec_deg in places:
        ra, dec = np.array(corners).T
        east, north = in_tangent_plane(ra_deg, dec_deg, ra, dec)
        round_about = tuple(corners[int(i)] for i in np.argsort(np.arctan2(north, east)))
        try:
            ErrorPolygon(ra_deg, dec_deg, round_about, containment)
        except ValueError:
            continue
        return Localization(
            kind="polygon",
            ra_deg=ra_deg,
            dec_deg=dec_deg,
            radius_deg=float(np.hypot(east, north).max()),
            corners_deg=round_about,
            containment=containment,
        )
    ra_deg, dec_deg = places[0]
    away = separation_arcsec(ra_deg, dec_deg, *np.array(corners).T) / 3600.0
    return Localization(
        kind="circle",
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        radius_deg=float(away.max()),
        containment=containment,
    )
