"""Events with versions, built from notices in whatever order and however often they come.

The state of an event depends only on the set of its notices: the current one is the most
precise and latest that places it; a retraction holds unless something was issued after it,
also when it comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.mma.notices import BY_NAME
from services.mma.regions import region_of
from services.mma.skymaps.base import Region
from services.mma.skymaps.multi_order import MultiOrderMap
from shared.errors import RejectedRecordError
from shared.schemas.notice import Notice
from shared.sky.separation import unit_vectors

CORRELATED_ROLES = ("observation", "test", "injection")
"""Utility and prediction packets (pointings, schedules) are no events."""
MAX_NOTICES_PER_EVENT = 500
"""More than any mission sends of one event; beyond it a sender is broken or hostile."""
_CAP_SLACK_DEG = 1.0 / 3600.0

EventKey = tuple[str, str]
"""Role and event id: a test never touches the real event of the same name."""


@dataclass(frozen=True, slots=True)
class ActiveEvent:
    """An event as the newest of its notices leaves it, with its region compiled."""

    notice: Notice
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


@dataclass(frozen=True, slots=True)
class History:
    """All notices of one event, without their payloads, and the best region compiled."""

    notices: tuple[Notice, ...] = ()
    region: Region | None = None

    def with_notice(self, notice: Notice) -> History | None:
        """The history with one notice more; None if it is already in it.

        Raises
        ------
        RejectedRecordError
            If the region of the notice is needed and cannot be compiled, or
            ``too_many_notices``.
        """
        if any(known.notice_id == notice.notice_id for known in self.notices):
            return None
        is_first_retraction = notice.alert_kind == "retraction" and not is_retracted(self.notices)
        if len(self.notices) >= MAX_NOTICES_PER_EVENT and not is_first_retraction:
            raise RejectedRecordError(
                "too_many_notices",
                f"event {notice.event_id} has {len(self.notices)} notices already; no mission "
                "sends so many, and each costs time for all that follow",
            )
        notices = (*self.notices, notice.model_copy(update={"payload": b""}))
        best = best_placed(notices)
        if best is None or best.notice_id != notice.notice_id:
            return History(notices, self.region)
        return History(notices, region_of(notice))

    def active(self) -> ActiveEvent | None:
        """The event as it stands; None if it is retracted or has no place."""
        best = best_placed(self.notices)
        if best is None or self.region is None or is_retracted(self.notices):
            return None
        window = BY_NAME[best.notice_type].window
        return ActiveEvent(
            notice=best,
            version=len(self.notices),
            region=self.region,
            window_start_mjd_tai=best.event_mjd_tai - window.before_days,
            window_end_mjd_tai=best.event_mjd_tai + window.after_days,
        )


class EventStore:
    """Notices by event. Replaying ``notices`` builds the same store again.

    Parameters
    ----------
    max_credible_level
        Largest credible level that counts as inside, in (0, 1).
    max_events, max_maps
        Events held, and those with a sky map (1 MB each) among them; beyond, the one that came
        first goes. Windows are judged by the times of alerts, not by a clock, so that an old
        night can be played again.
    """

    def __init__(
        self, max_credible_level: float = 0.95, max_events: int = 5000, max_maps: int = 400
    ) -> None:
        self._max_events = max_events
        self._max_maps = max_maps
        self._max_credible_level = max_credible_level
        self._histories: dict[EventKey, History] = {}
        self._active: dict[EventKey, ActiveEvent] = {}
        self._snapshot: Snapshot | None = Snapshot()

    def __len__(self) -> int:
        """How many events are held, retracted ones included."""
        return len(self._histories)

    def add(self, notice: Notice) -> EventKey | None:
        """Take a notice in; the event's key if what is active changed, else None.

        Raises
        ------
        RejectedRecordError
            If its type is unknown or its region cannot be compiled; the store is then as before.
        """
        if notice.notice_type not in BY_NAME:
            raise RejectedRecordError("unknown_notice_type", notice.notice_type)
        if notice.role not in CORRELATED_ROLES:
            return None
        key = (notice.role, notice.event_id)
        before = self._active.get(key)
        history = self._histories.get(key, History()).with_notice(notice)
        if history is None:
            return None
        after = history.active()
        if after is not None:
            _require_cap(after.region, self._max_credible_level)
        self._histories[key] = history
        self._active.pop(key, None)
        if after is not None:
            self._active[key] = after
        self._forget_oldest()
        self._snapshot = None
        return key if _identity(before) != _identity(after) else None

    def active(self, key: EventKey) -> ActiveEvent | None:
        """The event as it stands; None if unknown, retracted or without a place."""
        return self._active.get(key)

    def version(self, key: EventKey) -> int:
        """How many notices of the event have been seen."""
        history = self._histories.get(key)
        return 0 if history is None else len(history.notices)

    def snapshot(self) -> Snapshot:
        """The active events now."""
        if self._snapshot is None:
            ordered = sorted(self._active.values(), key=lambda e: e.key)
            self._snapshot = Snapshot.of(ordered, self._max_credible_level)
        return self._snapshot

    def _forget_oldest(self) -> None:
        while len(self._histories) > self._max_events:
            self._forget(next(iter(self._histories)))
        mapped = [k for k, h in self._histories.items() if isinstance(h.region, MultiOrderMap)]
        for key in mapped[: max(0, len(mapped) - self._max_maps)]:
            self._forget(key)

    def _forget(self, key: EventKey) -> None:
        del self._histories[key]
        self._active.pop(key, None)


def _require_cap(region: Region, max_credible_level: float) -> None:
    """A region without a cap would fail with every batch of alerts, not only now.

    Raises
    ------
    RejectedRecordError
        ``bad_position``.
    """
    try:
        cap = region.cap(max_credible_level)
    except (ArithmeticError, ValueError) as error:
        raise RejectedRecordError("bad_position", f"a region without size: {error}") from error
    if not np.isfinite([cap.ra_deg, cap.dec_deg, cap.radius_deg]).all():
        raise RejectedRecordError("bad_position", f"a region that is nowhere: {cap}")


def is_retracted(notices: Iterable[Notice]) -> bool:
    """Whether a retraction was issued at or after everything else that is known."""
    known = list(notices)
    retracted_ms = max((n.issued_ms for n in known if n.alert_kind == "retraction"), default=None)
    return retracted_ms is not None and all(n.issued_ms <= retracted_ms for n in known)


def best_placed(notices: Iterable[Notice]) -> Notice | None:
    """The notice that says best where the event is, retracted or not; None if none does.

    The order is precision (rank), then time of issue, then the author's serial number; the
    hash decides between equals, so that every worker decides alike.
    """
    placed = [n for n in notices if n.localization is not None and n.alert_kind != "retraction"]
    return max(placed, key=lambda n: (n.rank, n.issued_ms, n.serial, n.notice_id), default=None)


def _identity(event: ActiveEvent | None) -> str | None:
    return None if event is None else event.notice.notice_id
