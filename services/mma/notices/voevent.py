"""Opens VOEvent packets (1.1, 2.0, 2.1) safely. The only module that knows voevent-parse.

voevent-parse reads the packet's tree (it takes the namespaces away); its own getters accept
neither version 1.1 (whose places are in a namespace of their own, hence ``{*}``) nor a missing
error radius, and its writers fail on today's Python.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import voeventparse
from lxml import etree

from shared.errors import RejectedRecordError

MAX_VOEVENT_BYTES = 1024 * 1024
"""Comet drops what is above 99,999 bytes; the largest real packet seen has 64 kB."""
_ROLES = ("observation", "prediction", "utility", "test")


@dataclass(frozen=True, slots=True)
class VOEvent:
    """What a VOEvent says, under its own names."""

    ivorn: str
    role: str
    version: str
    issued: str
    """ISO time of Who/Date; empty if there is none."""
    event_time: str
    """ISO time of the observation; empty if there is none."""
    time_scale: str
    """First part of the coordinate system: UTC, TDB, ..."""
    ra_deg: float | None
    dec_deg: float | None
    error_deg: float | None
    params: Mapping[str, str]
    """Values of What/Param by name, groups joined in; the first of a name wins."""
    grouped: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    """Values of What/Group/Param by (group, name)."""
    errors_deg: tuple[float, float] | None = None
    """Errors of right ascension (coordinate degrees) and declination: Error2 of VOEvent 2.1."""
    citations: tuple[tuple[str, str], ...] = ()
    """Pairs of kind (followup, supersedes, retraction) and IVORN."""

    @property
    def stream(self) -> str:
        """The IVORN without ``ivo://``: ``nasa.gsfc.gcn/Fermi#GBM_Alert_...``."""
        return self.ivorn.removeprefix("ivo://")

    def number(self, name: str) -> float | None:
        """Parameter ``name`` as a finite number, else None."""
        try:
            value = float(self.params[name])
        except (KeyError, ValueError):
            return None
        return value if math.isfinite(value) else None

    def is_true(self, *names: str) -> bool:
        """Whether any of these parameters says true."""
        return any(self.params.get(name, "").strip().lower() in {"true", "1"} for name in names)


def open_voevent(payload: bytes) -> VOEvent:
    """Read a VOEvent packet.

    Raises
    ------
    RejectedRecordError
        ``too_large``, ``forbidden_xml`` (a document type or entities), ``bad_xml``,
        ``not_voevent`` or ``bad_role``.
    """
    if len(payload) > MAX_VOEVENT_BYTES:
        raise RejectedRecordError("too_large", f"VOEvent of {len(payload)} bytes")
    _refuse_dangers(payload)
    root: Any = voeventparse.loads(payload, check_version=False)
    role = root.get("role", "observation")
    if role not in _ROLES:
        raise RejectedRecordError("bad_role", f"role {role[:40]!r} is none of {', '.join(_ROLES)}")
    ivorn = root.get("ivorn") or root.get("id") or ""
    if not ivorn.startswith("ivo://"):
        raise RejectedRecordError("not_voevent", f"no ivorn but {ivorn[:80]!r}")
    params, grouped = _params(root)
    ra, dec, error, errors = _position(root)
    return VOEvent(
        ivorn=ivorn,
        role=role,
        version=root.get("version", ""),
        issued=_text(root, "Who/Date"),
        event_time=_text(root, "WhereWhen//{*}ISOTime")
        or _text(root, "WhereWhen//{*}TimeInterval/{*}ISOTimeStart"),
        time_scale=_time_scale(root),
        ra_deg=ra,
        dec_deg=dec,
        error_deg=error,
        params=MappingProxyType(params),
        grouped=MappingProxyType(grouped),
        errors_deg=errors,
        citations=tuple(_citations(root)),
    )


def _refuse_dangers(payload: bytes) -> None:
    """Parse once with everything off, before any other parser sees the packet."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(payload, parser)
    except etree.XMLSyntaxError as error:
        raise RejectedRecordError("bad_xml", str(error)) from error
    declared: Any = root.getroottree().docinfo
    if declared.doctype:
        raise RejectedRecordError("forbidden_xml", "a document type declaration is not accepted")
    name = etree.QName(root).localname
    if name != "VOEvent":
        raise RejectedRecordError("not_voevent", f"the root element is {name[:60]!r}")


def _text(root: Any, path: str) -> str:
    element = root.find(f"./{path}")
    return "" if element is None or element.text is None else str(element.text).strip()


def _time_scale(root: Any) -> str:
    for element in root.iterfind("./WhereWhen//{*}AstroCoords"):
        system = element.get("coord_system_id", "")
        if system:
            return str(system).split("-", maxsplit=1)[0].strip()
    return "UTC"


def _position(
    root: Any,
) -> tuple[float | None, float | None, float | None, tuple[float, float] | None]:
    """Right ascension, declination, radius and both errors of the first Position2D, degrees."""
    place = root.find("./WhereWhen//{*}Position2D")
    if place is None:
        return None, None, None, None
    values = [_number_of(place, "{*}Value2/{*}C1"), _number_of(place, "{*}Value2/{*}C2")]
    errors = [_number_of(place, "{*}Error2/{*}C1"), _number_of(place, "{*}Error2/{*}C2")]
    if _text_of(place, "{*}Name1").lower().startswith("dec"):
        values.reverse()
        errors.reverse()
    said = (errors[0], errors[1]) if errors[0] and errors[1] else None
    return values[0], values[1], _number_of(place, "{*}Error2Radius"), said


def _text_of(element: Any, path: str) -> str:
    found = element.find(path)
    return "" if found is None or found.text is None else str(found.text).strip()


def _number_of(element: Any, path: str) -> float | None:
    try:
        value = float(_text_of(element, path))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _params(root: Any) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    params: dict[str, str] = {}
    grouped: dict[tuple[str, str], str] = {}
    for param in root.iterfind("./What//{*}Param"):
        name, value = param.get("name"), param.get("value")
        if value is None:
            value = _text_of(param, "{*}Value")
        if not name:
            continue
        params.setdefault(str(name), str(value))
        group = param.getparent().get("name")
        if group:
            grouped.setdefault((str(group), str(name)), str(value))
    return params, grouped


def _citations(root: Any) -> Iterator[tuple[str, str]]:
    for tag in ("EventIVORN", "EventID"):
        for element in root.iterfind(f"./Citations/{{*}}{tag}"):
            if element.text:
                yield str(element.get("cite", "")), str(element.text).strip()
