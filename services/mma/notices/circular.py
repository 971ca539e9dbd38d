"""GCN circulars (``gcn.circulars``): prose of people, of which IceCube's has a fixed form.

IceCube's asymmetric errors are told nowhere else: its notices have circles.
"""

from __future__ import annotations

import re

from services.mma.notices import windows
from services.mma.notices.base import Document, JsonNotice, NoticeType, Reading, is_number
from services.mma.notices.places import quadrants
from services.mma.notices.times import iso_utc_of_unix_ms, mjd_tai_of_iso
from shared.errors import RejectedRecordError
from shared.schemas.notice import Localization

_COORDINATE = (
    r"{name}\s*[:=]\s*(?P<{key}>[+-]?[\d.]+)\s*(?:deg(?:rees)?)?\s*"
    r"\(?\s*\+\s*(?P<{key}_plus>[\d.]+)\s*(?:deg(?:rees)?)?\s*[/,]?\s*"
    r"-\s*(?P<{key}_minus>[\d.]+)"
)
_PLACE = re.compile(
    _COORDINATE.format(name=r"\bR\.?A\.?(?:\s*\(J2000\))?", key="ra")
    + r".{0,120}?"
    + _COORDINATE.format(name=r"\bDec\.?(?:\s*\(J2000\))?", key="dec"),
    re.IGNORECASE | re.DOTALL,
)
_MOMENT = re.compile(
    r"(?P<year>\d{2})[-/](?P<month>\d{2})[-/](?P<day>\d{2})\s+at\s+(?P<time>\d{2}:\d{2}:\d{2}[\d.]*)\s*UT"
)
_CONTAINMENT = re.compile(r"(?P<percent>\d{2}(?:\.\d+)?)\s*%\s*(?:PSF )?containment", re.IGNORECASE)
_LONGEST_BODY = 20_000


def recognises(document: Document) -> bool:
    """JSON with a subject and a body, as ``gcn.circulars`` has them."""
    if not isinstance(document, JsonNotice):
        return False
    return "subject" in document.fields and "body" in document.fields


def read(document: Document) -> Reading:
    """Event, time and, for IceCube, the quadrants of its best position; the rest is kept as prose.

    A circular without a place of its own makes no event: its role is utility.
    """
    if not isinstance(document, JsonNotice):
        raise RejectedRecordError("unknown_notice", "circulars are JSON")
    written_ms = document.fields.get("createdOn")
    if not is_number(written_ms):
        raise RejectedRecordError("no_event_time", "a circular without createdOn")
    event = document.text("eventId")
    body = document.text("body")[:_LONGEST_BODY]
    place = _icecube_place(body) if event.startswith("IceCube") else None
    moment = _MOMENT.search(body) if place is not None else None
    time = iso_utc_of_unix_ms(int(written_ms))
    if moment is not None:
        time = "20{year}-{month}-{day}T{time}Z".format(**moment.groupdict())
    number = document.text("circularId").removesuffix(".0")
    name = event or document.text("subject")[:80] or f"circular {number}"
    return Reading(
        event_id="_".join(name.split()),
        aliases=(event,) if event and " " in event else (),
        event_mjd_tai=mjd_tai_of_iso(time),
        issued_ms=int(written_ms),
        role="observation" if place is not None else "utility",
        rank=5 if place is not None else 0,
        localization=place,
        cites=(f"gcn.circulars:{number}",) if number else (),
    )


def _icecube_place(body: str) -> Localization | None:
    found = _PLACE.search(body)
    if found is None:
        return None
    try:
        said = {name: float(text) for name, text in found.groupdict().items()}
    except ValueError:
        return None
    percent = _CONTAINMENT.search(body)
    errors = (said["ra_plus"], said["ra_minus"], said["dec_plus"], said["dec_minus"])
    level = float(percent["percent"]) / 100.0 if percent else 0.9
    return quadrants(said["ra"], said["dec"], errors, level)


CIRCULAR = NoticeType("circular", "neutrino", windows.NEUTRINO, recognises, read)
