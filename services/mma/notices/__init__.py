"""Notice types: one file each; the first of the registry that recognises a document reads it."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

import orjson
from pydantic import ValidationError

from services.mma.notices.agile import AGILE
from services.mma.notices.amon import AMON
from services.mma.notices.asassn import ASASSN
from services.mma.notices.base import Document, JsonNotice, NoticeType, Reading
from services.mma.notices.boom import BOOM
from services.mma.notices.burstcube import BURSTCUBE
from services.mma.notices.calet import CALET
from services.mma.notices.chime_frb import CHIME_FRB
from services.mma.notices.circular import CIRCULAR
from services.mma.notices.counterpart import COUNTERPART
from services.mma.notices.crts import CRTS
from services.mma.notices.dsa110_frb import DSA110_FRB
from services.mma.notices.einstein_probe import EINSTEIN_PROBE
from services.mma.notices.fermi_gbm import FERMI_GBM
from services.mma.notices.fermi_lat import FERMI_LAT
from services.mma.notices.gaia import GAIA
from services.mma.notices.gcn_json import comment_of
from services.mma.notices.gecam import GECAM
from services.mma.notices.glowbug import GLOWBUG
from services.mma.notices.hawc import HAWC
from services.mma.notices.icecube import ICECUBE
from services.mma.notices.integral import INTEGRAL
from services.mma.notices.ipn import IPN
from services.mma.notices.km3net import KM3NET
from services.mma.notices.konus import KONUS
from services.mma.notices.lvk import LVK
from services.mma.notices.maxi import MAXI
from services.mma.notices.moa import MOA
from services.mma.notices.other import OTHER
from services.mma.notices.snews import SNEWS
from services.mma.notices.superk import SUPERK
from services.mma.notices.svom import SVOM
from services.mma.notices.swift import SWIFT
from services.mma.notices.times import iso_utc_of_mjd_tai
from services.mma.notices.utmost_frb import UTMOST_FRB
from services.mma.notices.voevent import VOEvent, open_voevent
from shared.errors import RejectedRecordError
from shared.registry import registry
from shared.schemas.notice import MAX_NOTICE_BYTES, Notice, notice_id_of

NOTICE_TYPES: tuple[NoticeType, ...] = (
    LVK,
    FERMI_GBM,
    FERMI_LAT,
    SWIFT,
    ICECUBE,
    HAWC,
    AMON,
    KM3NET,
    SUPERK,
    SNEWS,
    SVOM,
    EINSTEIN_PROBE,
    INTEGRAL,
    AGILE,
    CALET,
    GECAM,
    KONUS,
    IPN,
    BURSTCUBE,
    GLOWBUG,
    MAXI,
    COUNTERPART,
    CHIME_FRB,
    DSA110_FRB,
    UTMOST_FRB,
    GAIA,
    MOA,
    ASASSN,
    CRTS,
    BOOM,
    CIRCULAR,
    OTHER,
)
"""Order counts: the first that recognises a document reads it."""
_UNIX_EPOCH_MJD = 40587.0
_FUTURE_DAYS = 0.5
BY_NAME: dict[str, NoticeType] = registry(NOTICE_TYPES)


def open_document(payload: bytes) -> Document:
    """Parse the bytes of a notice, without understanding them yet.

    Raises
    ------
    RejectedRecordError
        ``too_large``, ``empty``, ``unknown_format``, ``bad_json``, or what ``open_voevent`` says.
    """
    if len(payload) > MAX_NOTICE_BYTES:
        raise RejectedRecordError(
            "too_large", f"{len(payload)} bytes; a notice has at most {MAX_NOTICE_BYTES}"
        )
    start = payload.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        raise RejectedRecordError("empty", "the notice has no content")
    if start == b"<":
        return open_voevent(payload)
    if start != b"{":
        raise RejectedRecordError("unknown_format", "neither a VOEvent (XML) nor a JSON object")
    try:
        fields = orjson.loads(payload.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise RejectedRecordError("bad_json", str(error)) from error
    return JsonNotice(fields)


def read_notice(payload: bytes, received_ms: int) -> Notice:
    """Understand a notice.

    Parameters
    ----------
    payload
        VOEvent XML or JSON, byte for byte.
    received_ms
        When it came, Unix milliseconds.

    Raises
    ------
    RejectedRecordError
        With the reason: format, time, position, map, or no type that knows it.
    """
    document = open_document(payload)
    kind = next((t for t in NOTICE_TYPES if t.recognises(document)), None)
    if kind is None:
        raise RejectedRecordError("unknown_notice", "JSON of no notice type: no GCN or LVK fields")
    reading = kind.read(document)
    is_voevent = isinstance(document, VOEvent)
    try:
        return Notice(
            notice_id=notice_id_of(payload),
            notice_type=kind.name,
            messenger=reading.messenger or kind.messenger,
            event_id=reading.event_id,
            aliases=reading.aliases,
            format="voevent" if is_voevent else "json",
            role=reading.role,
            alert_kind=reading.alert_kind,
            serial=reading.serial,
            rank=reading.rank,
            issued_ms=reading.issued_ms,
            received_ms=received_ms,
            event_time=iso_utc_of_mjd_tai(reading.event_mjd_tai),
            event_mjd_tai=reading.event_mjd_tai,
            ivorn=document.ivorn if isinstance(document, VOEvent) else None,
            localization=reading.localization,
            sky_map_url=reading.sky_map_url,
            far_hz=reading.far_hz,
            significant=reading.significant,
            classification=reading.classification,
            instruments=reading.instruments,
            cites=(*_cited(document), *reading.cites),
            remarks=(*reading.remarks, *_of_the_future(reading, received_ms)),
            p_astro=reading.p_astro,
            vetoes=reading.vetoes,
            redshift=reading.redshift,
            external=reading.external,
            **_said_by_gcn(document),
            payload=payload,
        )
    except ValidationError as error:
        raise RejectedRecordError("bad_value", str(error.errors()[0])) from error


def _of_the_future(reading: Reading, received_ms: int) -> tuple[str, ...]:
    """A remark on an observation that is yet to be; it is kept, for a clock may be wrong."""
    received_mjd = _UNIX_EPOCH_MJD + received_ms / 86_400_000
    ahead_days = reading.event_mjd_tai - received_mjd
    if received_ms <= 0 or ahead_days < _FUTURE_DAYS or reading.role != "observation":
        return ()
    return (f"its time lies {ahead_days:.1f} days after its receipt",)


def _cited(document: Document) -> tuple[str, ...]:
    if not isinstance(document, VOEvent):
        return ()
    return tuple(ivorn for _, ivorn in document.citations)


def _said_by_gcn(document: Document) -> dict[str, Any]:
    """Fields of the unified schema that mean the same in every mission's notices."""
    if not isinstance(document, JsonNotice):
        return {}
    return {
        "mission": document.text("mission") or None,
        "tense": document.text("alert_tense") or None,
        "comment": comment_of(document),
    }


def sky_map_of(notice: Notice) -> bytes | None:
    """FITS bytes of the map inside a notice's payload, if there is one."""
    if notice.localization is None or notice.localization.kind != "sky_map":
        return None
    return BY_NAME[notice.notice_type].sky_map(open_document(notice.payload))


def read_notice_file(content: bytes) -> bytes:
    """The payload in a file's content, which may be gzipped.

    Raises
    ------
    RejectedRecordError
        ``bad_gzip`` or ``too_large``.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            payload = stream.read(MAX_NOTICE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RejectedRecordError("bad_gzip", str(error)) from error
    if len(payload) > MAX_NOTICE_BYTES:
        raise RejectedRecordError("too_large", f"more than {MAX_NOTICE_BYTES} bytes unzipped")
    return payload
