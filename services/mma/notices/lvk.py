"""LIGO-Virgo-KAGRA: igwn.gwalert JSON with its multi-order map, and LVC VOEvents without it.

JSON since 2023 (emfollow.docs.ligo.org/userguide/content.html); VOEvents ended 2026-07-08.
The JSON has no version number: a version is (superevent, time_created).
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from typing import Any

from services.mma.notices import windows
from services.mma.notices.base import Document, JsonNotice, NoticeType, Reading, event_times
from services.mma.notices.maps import map_localization
from services.mma.notices.times import unix_ms_of_iso
from services.mma.notices.voevent import VOEvent
from shared.errors import RejectedRecordError
from shared.light_curves.photometry import mjd_tai_of_utc
from shared.schemas.notice import AlertKind, Role

_SUPEREVENT = re.compile(r"(?P<mark>[MT]?)S\d{6}[a-z]+")
_KINDS: dict[str, AlertKind] = {
    "EARLYWARNING": "early_warning",
    "EARLY_WARNING": "early_warning",
    "PRELIMINARY": "preliminary",
    "INITIAL": "initial",
    "UPDATE": "update",
    "RETRACTION": "retraction",
}
_CLASSES = ("BNS", "NSBH", "BBH", "MassGap", "Terrestrial", "HasNS", "HasRemnant", "HasMassGap")
_EXTERNAL_TEXTS = ("gcn_notice_id", "ivorn", "observatory", "search", "joint_skymap_fits")
_EXTERNAL_NUMBERS = (
    "time_difference",
    "time_coincidence_far",
    "time_sky_position_coincidence_far",
)
_VOEVENT_EXTERNAL = (
    ("External_GCN_Notice_Id", "gcn_notice_id"),
    ("External_Ivorn", "ivorn"),
    ("External_Observatory", "observatory"),
    ("External_Search", "search"),
    ("joint_skymap_fits", "joint_skymap_fits"),
    ("Time_Difference", "time_difference"),
    ("Time_Coincidence_FAR", "time_coincidence_far"),
    ("Time_Sky_Position_Coincidence_FAR", "time_sky_position_coincidence_far"),
)


def recognises(document: Document) -> bool:
    """IVORNs of gwnet/LVC, or JSON with a superevent."""
    if isinstance(document, VOEvent):
        return document.stream.startswith(("gwnet/LVC", "gwnet/gcn_sender", "nasa.gsfc.gcn/LVC"))
    return "superevent_id" in document.fields


def read(document: Document) -> Reading:
    """Read either format."""
    if isinstance(document, VOEvent):
        return _read_voevent(document)
    return _read_json(document)


def sky_map(document: Document) -> bytes | None:
    """FITS bytes of ``event.skymap``."""
    if isinstance(document, VOEvent):
        return None
    event = document.fields.get("event")
    encoded = event.get("skymap") if isinstance(event, dict) else None
    if encoded is None:
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise RejectedRecordError("bad_sky_map", f"event.skymap is not base64: {error}") from error


def _read_json(notice: JsonNotice) -> Reading:
    event_id = notice.text("superevent_id")
    kind = _kind_of(notice.text("alert_type"))
    issued_ms = unix_ms_of_iso(notice.text("time_created"))
    event = notice.fields.get("event")
    if kind == "retraction" or not isinstance(event, dict):
        if kind != "retraction":
            raise RejectedRecordError("no_event", f"{event_id} {kind} without event")
        return Reading(
            event_id=event_id,
            event_mjd_tai=_mjd_of_issue(issued_ms),
            issued_ms=issued_ms,
            role=_role_of(event_id),
            alert_kind=kind,
        )
    mjd_tai, _ = event_times(str(event.get("time") or ""), "")
    payload = sky_map(notice)
    place, remarks = map_localization(payload) if payload else (None, ())
    classes = {**_numbers(event.get("classification")), **_numbers(event.get("properties"))}
    far = event.get("far")
    return Reading(
        event_id=event_id,
        event_mjd_tai=mjd_tai,
        issued_ms=issued_ms,
        role=_role_of(event_id),
        alert_kind=kind,
        localization=place,
        remarks=remarks,
        far_hz=float(far) if isinstance(far, int | float) else None,
        significant=bool(event["significant"]) if "significant" in event else None,
        p_astro=_p_astro(classes),
        classification=classes,
        instruments=_texts(event.get("instruments")),
        cites=_cited(notice.fields.get("external_coinc")),
        external=_external(notice.fields.get("external_coinc")),
    )


def _read_voevent(event: VOEvent) -> Reading:
    event_id = event.params.get("GraceID", "")
    mjd_tai, issued_ms = event_times(event.event_time, event.issued, event.time_scale)
    kind = _kind_of(event.params.get("AlertType", "").replace(" ", ""))
    role = _role_of(event_id) if event.role == "observation" else "test"
    classes = {name: value for name in _CLASSES if (value := event.number(name)) is not None}
    significant = event.params.get("Significant")
    return Reading(
        event_id=event_id,
        event_mjd_tai=mjd_tai,
        issued_ms=issued_ms,
        role="injection" if event.is_true("HardwareInj") else role,
        alert_kind=kind,
        serial=int(event.number("Pkt_Ser_Num") or 0),
        sky_map_url=event.params.get("skymap_fits"),
        far_hz=event.number("FAR"),
        significant=None if significant is None else significant == "1",
        p_astro=_p_astro(classes),
        classification=classes,
        instruments=tuple(filter(None, event.params.get("Instruments", "").split(","))),
        external=_external(
            {key: event.params[name] for name, key in _VOEVENT_EXTERNAL if name in event.params}
        ),
    )


def _p_astro(classification: Mapping[str, float]) -> float | None:
    """1 - Terrestrial; None for bursts, which have no classes."""
    terrestrial = classification.get("Terrestrial")
    return None if terrestrial is None or not 0 <= terrestrial <= 1 else 1.0 - terrestrial


def _external(said: Any) -> dict[str, str | float]:
    """RAVEN's coincidence block under the names of the JSON; the combined map stays in the raw."""
    if not isinstance(said, dict):
        return {}
    found: dict[str, str | float] = {}
    for name in _EXTERNAL_TEXTS:
        if said.get(name):
            found[name] = str(said[name])[:200]
    for name in _EXTERNAL_NUMBERS:
        try:
            value = float(said[name])
        except (KeyError, TypeError, ValueError):
            continue
        if math.isfinite(value):
            found[name] = value
    return found


def _cited(said: Any) -> tuple[str, ...]:
    ivorn = said.get("ivorn") if isinstance(said, dict) else None
    return (str(ivorn)[:300],) if ivorn else ()


def _kind_of(alert_type: str) -> AlertKind:
    try:
        return _KINDS[alert_type.upper()]
    except KeyError as error:
        raise RejectedRecordError("bad_alert_type", f"alert type {alert_type[:40]!r}") from error


def _role_of(event_id: str) -> Role:
    """S is real; MS (mock) and TS (test) are not, whatever else the notice says."""
    match = _SUPEREVENT.fullmatch(event_id)
    if match is None and not re.fullmatch(r"[GMTE]\d+", event_id):
        raise RejectedRecordError("bad_event_id", f"superevent {event_id[:40]!r}")
    is_real = event_id.startswith(("S", "G"))
    return "observation" if is_real else "test"


def _mjd_of_issue(issued_ms: int) -> float:
    return float(mjd_tai_of_utc(40587.0 + issued_ms / 86_400_000))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {str(k): float(v) for k, v in value.items() if isinstance(v, int | float)}


LVK = NoticeType("lvk", "gravitational_wave", windows.MERGER, recognises, read, sky_map)
