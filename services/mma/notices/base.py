"""The contract of a notice type: which documents are its own, and what they say."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from services.mma.notices.times import mjd_tai_of_iso, unix_ms_of_iso
from services.mma.notices.voevent import VOEvent
from shared.errors import RejectedRecordError
from shared.schemas.notice import AlertKind, Localization, Messenger, Role

GBM_CONTAINMENT = 0.683
DEFAULT_CONTAINMENT = 0.9
"""GCN unified schema: what ``ra_dec_error`` contains where a notice does not say."""


@dataclass(frozen=True, slots=True)
class JsonNotice:
    """A JSON object as it came."""

    fields: Mapping[str, Any]

    @property
    def schema(self) -> str:
        """Path of the GCN schema (``fermi/gbm/trigger``), else ``mission/instrument``, or empty."""
        _, marker, path = str(self.fields.get("$schema", "")).partition("/gcn/notices/")
        if marker:
            return path.removesuffix(".schema.json")
        mission = self.text("mission").lower()
        return f"{mission}/{self.text('instrument').lower()}" if mission else ""

    def text(self, name: str) -> str:
        """Field ``name`` as text; the first of a list; empty if absent."""
        value = self.fields.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """Field ``name`` if it is a number."""
        value = self.fields.get(name)
        return float(value) if is_number(value) else None


Document = VOEvent | JsonNotice


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a JSON value is a finite number, which true and false are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < sys.float_info.max


@dataclass(frozen=True, slots=True)
class AssociationWindow:
    """When the first detection of a counterpart may come, relative to the event, days."""

    before_days: float
    after_days: float
    source: str
    """Why so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a notice type understood of a document."""

    event_id: str
    event_mjd_tai: float
    issued_ms: int
    role: Role = "observation"
    alert_kind: AlertKind = "initial"
    aliases: tuple[str, ...] = ()
    serial: int = 0
    rank: int = 0
    localization: Localization | None = None
    sky_map_url: str | None = None
    far_hz: float | None = None
    significant: bool | None = None
    classification: dict[str, float] = field(default_factory=dict)
    instruments: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    """Events and notices that it follows, beside a VOEvent's citations."""
    vetoes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    p_astro: float | None = None
    redshift: float | None = None
    external: dict[str, str | float] = field(default_factory=dict)
    messenger: Messenger | None = None
    """Where it is not that of the notice type."""


def _no_sky_map(_: Document) -> bytes | None:
    return None


@dataclass(frozen=True, slots=True)
class NoticeType:
    """One kind of notice, in whatever formats it comes."""

    name: str
    messenger: Messenger
    window: AssociationWindow
    recognises: Callable[[Document], bool]
    read: Callable[[Document], Reading]
    sky_map: Callable[[Document], bytes | None] = _no_sky_map
    """FITS bytes of the map inside the document, if there is one."""


def circle(
    ra_deg: float | None,
    dec_deg: float | None,
    radius_deg: float | None,
    containment: float,
    systematics: tuple[tuple[float, float], ...] = (),
) -> Localization | None:
    """Error circle; None where a coordinate or a positive radius is missing.

    GCN writes 0, 0 with error 0 where a packet has no position; SNEWS writes error 360 for
    the whole sky, which places nothing either.

    Raises
    ------
    RejectedRecordError
        ``bad_position``: right ascension outside [-360, 720] or declination outside [-90, 90].
    """
    if ra_deg is None or dec_deg is None or radius_deg is None or not 0 < radius_deg < 180:
        return None
    if not -90 <= dec_deg <= 90 or not -360 <= ra_deg <= 720:
        raise RejectedRecordError(
            "bad_position", f"ra {ra_deg}, dec {dec_deg}, radius {radius_deg} degrees"
        )
    return Localization(
        kind="circle",
        ra_deg=ra_deg % 360.0 % 360.0,  # twice: -1e-20 % 360 is 360
        dec_deg=dec_deg,
        radius_deg=radius_deg,
        containment=containment,
        systematics=systematics,
    )


def event_times(event_time: str, issued: str, scale: str = "UTC") -> tuple[float, int]:
    """MJD TAI of the event and Unix milliseconds of issue, the event's own if none is given.

    Raises
    ------
    RejectedRecordError
        ``malformed_time``, or ``no_event_time`` if neither is given.
    """
    moment, scale = (event_time, scale) if event_time else (issued, "UTC")
    if not moment:
        raise RejectedRecordError("no_event_time", "the notice says no time of the event")
    return mjd_tai_of_iso(moment, scale), unix_ms_of_iso(issued or moment)
