"""Event against event: which of them may be one, how surely, and where that would be.

Windows and joint false alarm rates are RAVEN's (``statistics/raven.py``); the overlap of the two
localisations is exact, whatever their kinds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.mma.events import ActiveEvent
from services.mma.skymaps.compiled import compiled
from services.mma.skymaps.multi_order import MultiOrderMap
from services.mma.skymaps.overlap import combined, overlap
from services.mma.statistics.chance import event_rate_hz
from services.mma.statistics.raven import WINDOWS, CoincidenceWindow, untargeted_far_hz

LONGEST_S = max(max(-w.before_s, w.after_s) for w in WINDOWS.values())
"""Events further apart than this are never one."""
Pair = tuple[ActiveEvent, ActiveEvent, CoincidenceWindow]
MERGER_CLASSES = ("BNS", "NSBH", "BBH", "MassGap")
_SUPERNOVA_TYPES = ("superk", "snews")
_KIND_OF_MESSENGER = {
    "gamma_ray": "grb",
    "x_ray": "grb",
    "radio": "frb",
    "neutrino": "neutrino",
}


@dataclass(frozen=True, slots=True)
class Coincidence:
    """Two events within each other's window."""

    first: ActiveEvent
    """The gravitational wave where there is one, else the burst."""
    second: ActiveEvent
    offset_s: float
    """Second minus first, seconds."""
    window: CoincidenceWindow
    overlap: float
    """Spatial overlap integral; 0 excludes."""
    raven_far_hz: float | None
    """Joint FAR with the first's own FAR; None if it has none."""
    joint_far_hz: float | None
    """The same with the rate of such events where that is larger: what to go by."""

    def joint_map(self) -> MultiOrderMap | None:
        """Normalised product of both localisations; None if they exclude each other."""
        if self.overlap <= 0:
            return None
        return combined(compiled(self.first.region), compiled(self.second.region))


def kind_of(event: ActiveEvent) -> str | None:
    """Which side of a coincidence an event can be: merger, burst, grb, frb, neutrino, supernova."""
    notice = event.notice
    if notice.messenger == "gravitational_wave":
        has_class = any(notice.classification.get(name, 0.0) > 0 for name in MERGER_CLASSES)
        return "merger" if has_class else "burst"
    if notice.notice_type in _SUPERNOVA_TYPES:
        return "supernova"
    return _KIND_OF_MESSENGER.get(notice.messenger)


def coincidences(events: Sequence[ActiveEvent]) -> list[Coincidence]:
    """Every pair in a window of RAVEN's, the surest first; real events and tests never mix."""
    return sorted((weighed(*pair) for pair in pairs(events)), key=_surest_first)


def pairs(events: Sequence[ActiveEvent]) -> Iterator[Pair]:
    """Pairs that are near enough in time for some window, not weighed yet."""
    ordered = sorted(events, key=lambda e: (e.notice.event_mjd_tai, e.key))
    for index, one in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if _apart_s(one, other) > LONGEST_S:
                break
            pair = ordered_pair(one, other)
            if pair is not None:
                yield pair


def partners(event: ActiveEvent, others: Iterable[ActiveEvent]) -> Iterator[Pair]:
    """The pairs of one event with others, not weighed yet."""
    for other in others:
        if other.key != event.key and abs(_apart_s(event, other)) <= LONGEST_S:
            pair = ordered_pair(event, other)
            if pair is not None:
                yield pair


def _apart_s(one: ActiveEvent, other: ActiveEvent) -> float:
    return (other.notice.event_mjd_tai - one.notice.event_mjd_tai) * 86_400.0


def ordered_pair(one: ActiveEvent, other: ActiveEvent) -> Pair | None:
    """The two in their order, and the window of such a pair; None if they cannot be one.

    Real events, tests and injections never mix.
    """
    if one.notice.role != other.notice.role:
        return None
    kinds = kind_of(one), kind_of(other)
    for first, second, names in ((one, other, kinds), (other, one, kinds[::-1])):
        window = WINDOWS.get((names[0] or "", names[1] or ""))
        if window is not None:
            offset_s = _apart_s(first, second)
            # MJDs in 64 bits resolve a microsecond; a bound is inside.
            if window.before_s - 1e-3 <= offset_s <= window.after_s + 1e-3:
                return first, second, window
    return None


def weighed(first: ActiveEvent, second: ActiveEvent, window: CoincidenceWindow) -> Coincidence:
    """The pair with its overlap and joint false alarm rates."""
    offset_s = _apart_s(first, second)
    integral = overlap(compiled(first.region), compiled(second.region))
    notice = first.notice
    rate_hz = event_rate_hz(notice.notice_type, notice.classification, notice.far_hz)

    def joint(far_hz: float | None) -> float | None:
        if far_hz is None or math.isnan(far_hz) or integral <= 0:
            return None
        return untargeted_far_hz(far_hz, window.rate_per_year, window.length_s, integral)

    return Coincidence(
        first, second, offset_s, window, integral, joint(notice.far_hz), joint(rate_hz)
    )


def _surest_first(one: Coincidence) -> tuple[float, str, str]:
    far_hz = math.inf if one.joint_far_hz is None else one.joint_far_hz
    return far_hz, one.first.notice.event_id, one.second.notice.event_id
