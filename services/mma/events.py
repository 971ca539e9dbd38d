"""Active events as the match sees them: one by one, and all at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.mma.skymaps.base import Region
from shared.schemas.notice import Notice
from shared.sky.separation import unit_vectors

_CAP_SLACK_DEG = 1.0 / 3600.0

EventKey = tuple[str, str]
"""Role and event id: a test never touches the real event of the same name."""


@dataclass(frozen=True, slots=True)
class ActiveEvent:
    """An event as the newest of its notices leaves it, with its region compiled."""

    notice: Notice
    """The one that places it best, under the event's name and with the event's time."""
    version: int
    region: Region
    window_start_mjd_tai: float
    window_end_mjd_tai: float

    @property
    def key(self) -> EventKey:
        """Role and event id."""
        return self.notice.role, self.notice.event_id


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All active events at one moment; never changes, so any thread may read it."""

    events: tuple[ActiveEvent, ...] = ()
    window_start: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    window_end: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    is_real: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    cap_vectors: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    cap_cosines: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """-2 for the whole sphere."""

    @classmethod
    def of(cls, events: Iterable[ActiveEvent], max_credible_level: float) -> Snapshot:
        """Put the events' windows and caps side by side."""
        kept = tuple(events)
        caps = [event.region.cap(max_credible_level) for event in kept]
        radii = np.array([cap.radius_deg for cap in caps], dtype=np.float64)
        return cls(
            events=kept,
            window_start=np.array([e.window_start_mjd_tai for e in kept], dtype=np.float64),
            window_end=np.array([e.window_end_mjd_tai for e in kept], dtype=np.float64),
            is_real=np.array([e.notice.role == "observation" for e in kept], dtype=bool),
            cap_vectors=unit_vectors([c.ra_deg for c in caps], [c.dec_deg for c in caps]),
            cap_cosines=np.where(
                radii >= 180.0, -2.0, np.cos(np.radians(np.minimum(radii + _CAP_SLACK_DEG, 180.0)))
            ),
        )
