"""Notice types: one file (or one row) each; the first of the registry that recognises reads."""

from __future__ import annotations

import gzip
import io
import zlib

import orjson
from pydantic import ValidationError

from services.mma.notices.base import Document, JsonNotice, NoticeType
from services.mma.notices.fermi_gbm import FERMI_GBM
from services.mma.notices.icecube import ICECUBE
from services.mma.notices.instruments import INSTRUMENTS
from services.mma.notices.lvk import LVK
from services.mma.notices.other import OTHER
from services.mma.notices.swift import SWIFT
from services.mma.notices.times import iso_utc_of_mjd_tai
from services.mma.notices.voevent import VOEvent, open_voevent
from shared.errors import RejectedRecordError
from shared.registry import registry
from shared.schemas.notice import MAX_NOTICE_BYTES, Notice, notice_id_of

NOTICE_TYPES: tuple[NoticeType, ...] = (LVK, FERMI_GBM, SWIFT, ICECUBE, *INSTRUMENTS, OTHER)
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
            messenger=kind.messenger,
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
            cites=tuple(c for _, c in document.citations) if isinstance(document, VOEvent) else (),
            remarks=reading.remarks,
            payload=payload,
        )
    except ValidationError as error:
        raise RejectedRecordError("bad_value", str(error.errors()[0])) from error


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
