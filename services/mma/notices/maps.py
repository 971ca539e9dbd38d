"""The localization of a sky map inside a notice."""

from __future__ import annotations

import hashlib

from services.mma.skymaps.fits import read_sky_map
from shared.schemas.notice import Localization


def map_localization(payload: bytes) -> tuple[Localization, tuple[str, ...]]:
    """Mode, 90 % area, distance and identity of a FITS map, and what was repaired in it.

    Raises
    ------
    RejectedRecordError
        ``bad_sky_map``, see ``read_sky_map``.
    """
    compiled = read_sky_map(payload)
    ra_deg, dec_deg = compiled.mode()
    place = Localization(
        kind="sky_map",
        ra_deg=ra_deg,
        dec_deg=dec_deg,
        area_90_deg2=compiled.searched_area_deg2(0.9),
        distance_mpc=compiled.distance_mpc,
        distance_err_mpc=compiled.distance_err_mpc,
        sky_map_sha256=hashlib.sha256(payload).hexdigest(),
    )
    return place, tuple(f"sky map: {remark}" for remark in compiled.remarks)
