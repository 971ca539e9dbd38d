"""The wire of the VOEvent Transport Protocol: frames and Transport documents.

IVOA REC VTP 2.0 (2017-03-20). A message is four bytes of length, big-endian, and one XML document:
a VOEvent, or a Transport. Three namespaces of Transport are in use, so names are read without.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from shared.errors import RejectedRecordError

LENGTH_BYTES = 4
NAMESPACE = "http://www.telescope-networks.org/xml/Transport/v1.1"
_VOEVENT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?VOEvent[\s/>]")
_END = re.compile(rb"</(?:[A-Za-z_][\w.-]*:)?VOEvent\s*>")


@dataclass(frozen=True, slots=True)
class Described:
    """What a message is, as far as the protocol cares."""

    name: str
    """Local name of the root element: ``VOEvent`` or ``Transport``."""
    role: str
    origin: str
    """A Transport's Origin, a VOEvent's own identifier."""
    filters: tuple[str, ...] = ()
    """XPath expressions that an ``authenticate`` asks for, as Comet writes them."""


def framed(payload: bytes) -> bytes:
    """The payload with its length before it."""
    return struct.pack(">i", len(payload)) + payload


def transport(role: str, origin: str, response: str = "", reason: str = "") -> bytes:
    """A Transport document: ``ack``, ``nak``, ``iamalive`` or ``authenticate``."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    meta = f"<Meta><Result>{escape(reason)}</Result></Meta>" if reason else ""
    answer = f"<Response>{escape(response)}</Response>" if response else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><trn:Transport role="{role}" version="1.0" '
        f'xmlns:trn="{NAMESPACE}"><Origin>{escape(origin)}</Origin>'
        f"{answer}<TimeStamp>{now}</TimeStamp>{meta}</trn:Transport>"
    ).encode()


def parsed(payload: bytes) -> etree._Element:
    """The root element, read without entities, network or documents of unusual size.

    Raises
    ------
    RejectedRecordError
        ``bad_xml`` or ``forbidden_xml``.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(payload, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RejectedRecordError("bad_xml", str(error)) from error
    declared: Any = root.getroottree().docinfo
    if declared.doctype:
        raise RejectedRecordError("forbidden_xml", "a document type declaration is not accepted")
    return root


def described(payload: bytes) -> Described:
    """What the message is.

    Raises
    ------
    RejectedRecordError
        As ``parsed``.
    """
    root = parsed(payload)
    name = etree.QName(root).localname
    if name != "Transport":
        return Described(name, root.get("role", ""), root.get("ivorn", "").strip())
    filters = [
        value
        for param in root.iterfind("{*}Meta/{*}Param")
        if param.get("name") == "xpath-filter" and (value := param.get("value"))
    ]
    filters += [
        node.text
        for node in root.iterfind("{*}Meta/{*}filter")
        if node.get("type") == "xpath" and node.text
    ]
    origin = (root.findtext("{*}Origin") or "").strip()
    return Described(name, root.get("role", ""), origin, tuple(filters))


def identity_of(packet: bytes) -> bytes:
    """What two copies of one packet have in common: SHA-256 of ``<VOEvent`` to ``</VOEvent>``.

    VTP 2.0, section 7: an IVORN is not to be used for this.
    """
    begin = _VOEVENT.search(packet)
    ends = [*_END.finditer(packet)]
    if begin is None or not ends:
        return hashlib.sha256(packet).digest()
    return hashlib.sha256(packet[begin.start() : ends[-1].end()]).digest()
