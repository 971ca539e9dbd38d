"""Reads the GCN unified schema (core schemas v4 to v7), which every mission extends.

No core schema requires a field. What a notice does not say is left out; one that says no time at
all is kept as a utility packet, for it makes no event.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from services.mma.notices.base import Document, JsonNotice, Reading, circle, event_times, is_number
from services.mma.notices.places import polygon
from shared.errors import RejectedRecordError
from shared.schemas.notice import AlertKind, Localization, Role

_ROLES: dict[str, Role] = {
    "test": "test",
    "injection": "injection",
    "planned": "prediction",
    "commanded": "utility",
}
_KINDS: dict[str, AlertKind] = {
    "initial": "initial",
    "subsequent": "subsequent",
    "update": "update",
    "retraction": "retraction",
}
_NO_TIME = "1970-01-01T00:00:00Z"
_MAX_COMMENT = 2000
Systematics = tuple[tuple[float, float], ...]


def read_gcn_json(
    notice: JsonNotice,
    prefix: str,
    containment: float,
    *,
    rank: int = 0,
    systematics: Systematics = (),
    vetoes: tuple[str, ...] = (),
) -> Reading:
    """Read a notice; ``containment`` is the mission's where the notice does not say its own."""
    started = notice.text("trigger_time") or notice.text("observation_start")
    issued = notice.text("alert_datetime")
    remarks: tuple[str, ...] = ()
    role = _ROLES.get(notice.text("alert_tense"), "observation")
    if not started and not issued:
        issued, role, remarks = _NO_TIME, "utility", ("it says no time: it makes no event",)
    mjd_tai, issued_ms = event_times(started, issued)
    # Ids are the mission's own, names are everybody's.
    ids = [f"{prefix}_{one}" for one in _texts(notice.fields.get("id"))]
    names = _texts(notice.fields.get("event_name"))
    unnumbered = f"{prefix}_{names[0] if names else started or issued}"
    place = json_localization(notice, containment, systematics)
    if notice.text("healpix_file"):
        place, said = _map_or(place, notice)
        remarks += said
    p_astro = notice.number("p_astro")
    return Reading(
        event_id=ids[0] if ids else unnumbered,
        aliases=(*ids[1:], *names),
        event_mjd_tai=mjd_tai,
        issued_ms=issued_ms,
        role=role,
        alert_kind=_KINDS.get(notice.text("alert_type"), "initial"),
        serial=int(notice.number("record_number") or 0),
        rank=rank if place is not None else 0,
        localization=place,
        sky_map_url=notice.text("healpix_url") or None,
        far_hz=_not_negative(notice.number("far")),
        p_astro=p_astro if p_astro is not None and 0 <= p_astro <= 1 else None,
        classification={
            **numbers(notice.fields.get("classification")),
            **numbers(notice.fields.get("properties")),
        },
        instruments=tuple(filter(None, [notice.text("instrument")])),
        redshift=notice.number("redshift"),
        cites=tuple(references(notice.fields)),
        vetoes=vetoes,
        remarks=remarks,
    )


def _not_negative(value: float | None) -> float | None:
    return value if value is not None and value >= 0 else None


def numbers(value: Any) -> dict[str, float]:
    """The entries of an object that are finite numbers; empty for anything else."""
    if not isinstance(value, dict):
        return {}
    return {str(k): float(v) for k, v in value.items() if is_number(v)}


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def comment_of(notice: JsonNotice) -> str | None:
    """What the author adds in words."""
    words = (notice.text(n) for n in ("additional_info", "update_message", "description"))
    return " ".join(filter(None, words))[:_MAX_COMMENT] or None


def references(fields: Any) -> Iterator[str]:
    """Events and notices that this one follows up: ``FollowUp``, GUANO's, and BOOM's form."""
    if not isinstance(fields, dict):
        return
    for name in ("ref_ID", "follow_up_event"):
        if fields.get(name):
            yield str(fields[name])
    reference = fields.get("reference")
    if isinstance(reference, dict):
        yield from (f"{topic}:{name}" for topic, name in reference.items())
    for name in ("follow_up", "gcn_crossmatch"):
        several = fields.get(name)
        for one in several if isinstance(several, list) else ():
            yield from references(one)


def json_localization(
    notice: JsonNotice, containment: float, systematics: Systematics = ()
) -> Localization | None:
    """Circle or ellipse of ra, dec, ra_dec_error, else the box of rectangular_error_corners."""
    given = notice.number("containment_probability")
    level = given if given is not None and 1e-3 <= given < 1 else containment
    ra, dec = notice.number("ra"), notice.number("dec")
    error = notice.fields.get("ra_dec_error")
    if notice.fields.get("systematic_included") is True:
        systematics = ()
    place = None
    if isinstance(error, list):
        place = _ellipse(ra, dec, [float(e) for e in error if is_number(e)], level, systematics)
    elif is_number(error):
        place = circle(ra, dec, float(error), level, systematics)
    corners = notice.fields.get("rectangular_error_corners")
    if place is None and isinstance(corners, list):
        centre = (ra, dec) if ra is not None and dec is not None else None
        place = polygon(corners, level, centre)
    return _with_distance(place, notice)


def _ellipse(
    ra: float | None, dec: float | None, axes: list[float], level: float, systematics: Systematics
) -> Localization | None:
    """Semi-major, semi-minor axis (default: the same) and position angle (default: 0)."""
    if not axes or min(axes[:2]) <= 0:
        return None
    semi_minor = axes[1] if len(axes) > 1 else axes[0]
    is_circle = axes[0] == semi_minor
    place = circle(ra, dec, axes[0], level, systematics if is_circle else ())
    if place is None or is_circle:
        return place
    if semi_minor >= 180:
        raise RejectedRecordError("bad_position", f"an ellipse of {axes} degrees")
    angle = axes[2] if len(axes) > 2 else 0.0
    return place.model_copy(
        update={"kind": "ellipse", "semi_minor_deg": semi_minor, "position_angle_deg": angle}
    )


def _with_distance(place: Localization | None, notice: JsonNotice) -> Localization | None:
    distance = notice.number("luminosity_distance")
    if place is None or distance is None or distance <= 0:
        return place
    error = notice.fields.get("luminosity_distance_error")
    both = [abs(float(e)) for e in (error if isinstance(error, list) else [error]) if is_number(e)]
    return place.model_copy(
        update={
            "distance_mpc": distance,
            "distance_err_mpc": sum(both) / len(both) if both else None,
        }
    )


def healpix_file(document: Document) -> bytes | None:
    """The FITS map of ``healpix_file``, if it is one."""
    if not isinstance(document, JsonNotice):
        return None
    try:
        payload = base64.b64decode("".join(document.text("healpix_file").split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return payload or None


def _map_or(
    place: Localization | None, notice: JsonNotice
) -> tuple[Localization | None, tuple[str, ...]]:
    from services.mma.notices.maps import map_localization  # noqa: PLC0415 - astropy, on demand

    payload = healpix_file(notice)
    if payload is None:
        return place, ("healpix_file is not base64 and was left out",)
    try:
        return map_localization(payload)
    except RejectedRecordError as error:
        return place, (f"healpix_file was left out: {error.detail}",)
