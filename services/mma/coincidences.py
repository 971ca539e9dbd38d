"""Event against event: which of them may be one, how surely, and where that would be.

Windows and joint false alarm rates are RAVEN's (``statistics/raven.py``); the overlap of the two
localisations is exact, whatever their kinds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.mma.events import ActiveEvent
from services.mma.skymaps.compiled import compiled
from services.mma.skymaps.multi_order import MultiOrderMap
from services.mma.skymaps.overlap import combined, overlap
from services.mma.statistics.chance import event_rate_hz
from services.mma.statistics.raven import WINDOWS, CoincidenceWindow, untargeted_far_hz

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
    found = []
    ordered = sorted(events, key=lambda e: (e.notice.event_mjd_tai, e.key))
    longest_s = max(max(-w.before_s, w.after_s) for w in WINDOWS.values())
    for index, one in enumerate(ordered):
        for other in _soon_after(ordered[index + 1 :], one, longest_s):
            pair = _ordered_pair(one, other)
            if pair is not None and one.notice.role == other.notice.role:
                coincidence = _weighed(*pair)
                if coincidence is not None:
                    found.append(coincidence)
    return sorted(found, key=_surest_first)


def _soon_after(
    later: Iterable[ActiveEvent], event: ActiveEvent, within_s: float
) -> Iterable[ActiveEvent]:
    for other in later:
        if (other.notice.event_mjd_tai - event.notice.event_mjd_tai) * 86_400.0 > within_s:
            return
        yield other


def _ordered_pair(
    one: ActiveEvent, other: ActiveEvent
) -> tuple[ActiveEvent, ActiveEvent, CoincidenceWindow] | None:
    kinds = kind_of(one), kind_of(other)
    for first, second, names in ((one, other, kinds), (other, one, kinds[::-1])):
        window = WINDOWS.get((names[0] or "", names[1] or ""))
        if window is not None:
            return first, second, window
    return None


def _weighed(
    first: ActiveEvent, second: ActiveEvent, window: CoincidenceWindow
) -> Coincidence | None:
    offset_s = (second.notice.event_mjd_tai - first.notice.event_mjd_tai) * 86_400.0
    # MJDs in 64 bits resolve a microsecond; a bound is inside.
    if not window.before_s - 1e-3 <= offset_s <= window.after_s + 1e-3:
        return None
    integral = overlap(compiled(first.region), compiled(second.region))
    notice = first.notice
    rate_hz = event_rate_hz(notice.notice_type, notice.classification, notice.far_hz)

    def joint(far_hz: float | None) -> float | None:
        if far_hz is None or math.isnan(far_hz) or integral <= 0:
            return None
        return untargeted_far_hz(far_hz, window.rate_per_year, window.length_s, integral)

    return Coincidence(first, second, offset_s, integral, joint(notice.far_hz), joint(rate_hz))


def _surest_first(one: Coincidence) -> tuple[float, str, str]:
    far_hz = math.inf if one.joint_far_hz is None else one.joint_far_hz
    return far_hz, one.first.notice.event_id, one.second.notice.event_id
