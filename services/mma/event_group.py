"""The notices that are one event, under its name."""

from __future__ import annotations

from dataclasses import dataclass

from services.mma.events import ActiveEvent, EventKey
from services.mma.history import History
from services.mma.identity import folded
from services.mma.notices import BY_NAME

_UNIX_EPOCH_MJD = 40587.0


@dataclass(slots=True)
class EventGroup:
    """The notices of one event, its name, and what is active of it."""

    role: str
    history: History
    name: str
    """Its id, as whoever spoke first writes it."""
    earliest_mjd_tai: float
    age: tuple[float, int]
    """For forgetting: the smallest goes first."""
    key: EventKey = ("", "")
    active: ActiveEvent | None = None

    @classmethod
    def of(cls, role: str, history: History) -> EventGroup:
        """The group of these notices.

        Its age is the event's time, but never after its notice came: what has an absurd date must
        not outlive all else.
        """
        first, earliest = history.first(), history.earliest_mjd_tai()
        moments = [earliest, _mjd(first.issued_ms)]
        if first.received_ms > 0:
            moments.append(_mjd(first.received_ms))
        return cls(role, history, history.name(), earliest, (min(moments), first.issued_ms))

    @property
    def base(self) -> EventKey:
        """What its namesakes are found by."""
        return self.role, folded(self.name)

    def settle(self, key: EventKey) -> None:
        """Work out what is active, under the name ``key``."""
        self.key = key
        self.active = None
        best = self.history.best()
        if best is None:
            return
        notice, region = best
        if notice.notice_type != "lvk":
            # Later positions carry the time of the image; the event is as old as its first word.
            times = [n for n in self.history.standing() if n.alert_kind != "retraction"]
            earliest = min(times, key=lambda n: (n.event_mjd_tai, n.notice_id))
            said = {"event_mjd_tai": earliest.event_mjd_tai, "event_time": earliest.event_time}
            notice = notice.model_copy(update=said)
        window = BY_NAME[notice.notice_type].window
        self.active = ActiveEvent(
            notice=notice.model_copy(update={"event_id": key[1]}),
            version=len(self.history),
            region=region,
            window_start_mjd_tai=notice.event_mjd_tai - window.before_days,
            window_end_mjd_tai=notice.event_mjd_tai + window.after_days,
        )


def _mjd(unix_ms: int) -> float:
    return _UNIX_EPOCH_MJD + unix_ms / 86_400_000.0
