"""Events with versions, built from notices in whatever order and however often they come.

The state depends only on the set of notices: which of them are one event (``identity.py``), which
says best where it is, what was retracted (``history.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from services.mma.event_group import EventGroup
from services.mma.events import ActiveEvent, EventKey, Snapshot
from services.mma.history import History
from services.mma.identity import Heard, clean_id, folded
from services.mma.notices import BY_NAME
from services.mma.skymaps.base import Region
from shared.errors import RejectedRecordError
from shared.schemas.notice import Notice

CORRELATED_ROLES = ("observation", "test", "injection")
"""Utility and prediction packets (pointings, schedules) are no events."""
INJECTION = "ivo://tocsin/injection#"
"""Event ids of our own test notices begin so."""
_INJECTIONS_KEPT = 3
_NAMESAKES_KEPT = 100
"""Events that share one id; a sender who numbers nothing has no more."""
_NOTICES_PER_EVENT_HELD = 20


class EventStore:
    """Notices by event. Replaying ``notices`` builds the same store again.

    Parameters
    ----------
    max_credible_level
        Largest credible level that counts as inside, in (0, 1).
    max_events, max_maps
        Events held, and sky maps (1 MB each) among them; beyond, the event that lies longest back
        goes. Windows are judged by the times of alerts, not by a clock, so that an old night can
        be played again.
    """

    def __init__(
        self, max_credible_level: float = 0.95, max_events: int = 5000, max_maps: int = 400
    ) -> None:
        self._max_events = max_events
        self._max_maps = max_maps
        self._max_credible_level = max_credible_level
        self._groups: dict[int, EventGroup] = {}
        self._next = 0
        self._named: dict[EventKey, set[int]] = {}
        self._by_key: dict[EventKey, int] = {}
        self._ours: set[int] = set()
        self._mapped: dict[int, int] = {}
        self._notices = self._maps = 0
        self._touched: dict[EventKey, None] = {}
        self._snapshot: Snapshot | None = Snapshot()

    def __len__(self) -> int:
        """How many events are held, retracted ones included."""
        return len(self._groups)

    def add(self, notice: Notice) -> list[EventKey]:
        """Take a notice in; the keys of events that are not active as they were, mostly one.

        Raises
        ------
        RejectedRecordError
            If its type is unknown, its event has no usable name, or its region cannot be
            compiled; the store is then as before.
        """
        if notice.notice_type not in BY_NAME:
            raise RejectedRecordError("unknown_notice_type", notice.notice_type)
        if notice.role not in CORRELATED_ROLES:
            return []
        clean_id(notice.event_id)
        heard = Heard.of(notice)
        linked = self._linked(notice.role, heard)
        if any(self._groups[one].history.has(notice.notice_id) for one in linked):
            return []
        histories = [self._groups[one].history for one in linked] or [History()]
        joined = histories[0].joined_with(histories[1:]).with_notice(notice, heard)
        group = EventGroup.of(notice.role, joined)
        known = self._groups[linked[0]] if len(linked) == 1 else None
        is_extended = known is not None and known.name == group.name
        group.settle(known.key if known and is_extended else (notice.role, group.name))
        if group.active is not None:
            _require_cap(group.active.region, self._max_credible_level)
        return self._replace(linked, group)

    def active(self, key: EventKey) -> ActiveEvent | None:
        """The event as it stands; None if unknown, retracted or without a place."""
        found = self._by_key.get(key)
        return None if found is None else self._groups[found].active

    def history(self, key: EventKey) -> History | None:
        """All that is known of an event; None if it is not held."""
        found = self._by_key.get(key)
        return None if found is None else self._groups[found].history

    def version(self, key: EventKey) -> int:
        """How many notices of the event have been seen."""
        return len(self.history(key) or ())

    def successor(self, key: EventKey) -> EventKey | None:
        """The event that one is called by now, whose name is no event's (any more)."""
        role, name = key
        if key in self._by_key:
            return None
        found = self._named.get((role, folded(name.partition("@")[0])), ())
        return min((self._groups[one].key for one in found), default=None)

    def keys(self) -> list[EventKey]:
        """Every event that is held."""
        return list(self._by_key)

    def take_touched(self) -> list[EventKey]:
        """Keys of events that anything became known of since this was last asked."""
        touched, self._touched = self._touched, {}
        return list(touched)

    def snapshot(self) -> Snapshot:
        """The active events now."""
        if self._snapshot is None:
            active = (g.active for g in self._groups.values() if g.active is not None)
            ordered = sorted(active, key=lambda e: e.key)
            self._snapshot = Snapshot.of(ordered, self._max_credible_level)
        return self._snapshot

    def _linked(self, role: str, heard: Heard) -> list[int]:
        """Events that the notice is about: mostly none or one, several if it joins them."""
        near: set[int] = set()
        for name in heard.names:
            near |= self._named.get((role, name.text), set())
        return [
            one
            for one in sorted(near)
            if any(heard.is_same_event(other) for other in self._groups[one].history.heard)
        ]

    def _replace(self, linked: list[int], group: EventGroup) -> list[EventKey]:
        """Put ``group`` in the place of those it is made of, and name it and its namesakes."""
        bases = {self._groups[one].base for one in linked} | {group.base}
        touched = {one for base in bases for one in self._named.get(base, ())} | set(linked)
        before = {self._groups[one].key: self._groups[one].active for one in touched}
        if len(linked) == 1 and self._groups[linked[0]].key == group.key:
            self._extend(linked[0], group)
        else:
            for one in linked:
                self._remove(one)
            self._insert(group)
        for base in bases:
            self._name_all(base)
        left = touched & self._groups.keys()
        after = {g.key: g.active for g in (self._groups[o] for o in left)}
        after[group.key] = group.active
        changed = [
            key
            for key in {**before, **after}
            if _identity(before.get(key)) != _identity(after.get(key))
        ]
        gone = before.keys() - after.keys()
        self._touched.update(dict.fromkeys([*gone, *changed, group.key]))
        self._forget_some(group.base)
        self._snapshot = None
        return changed

    def _extend(self, one: int, group: EventGroup) -> None:
        """One notice more in an event that keeps its name: most notices are that."""
        self._groups[one] = group
        for name in group.history.heard[-1].names:
            self._named.setdefault((group.role, name.text), set()).add(one)
        self._notices += 1
        self._count_maps(one)

    def _count_maps(self, one: int) -> None:
        maps = self._groups[one].history.maps()
        self._maps += maps - self._mapped.pop(one, 0)
        if maps:
            self._mapped[one] = maps

    def _insert(self, group: EventGroup) -> None:
        self._next += 1
        self._groups[self._next] = group
        for name in _all_names(group.history):
            self._named.setdefault((group.role, name), set()).add(self._next)
        # A name of its own until it is told apart from its namesakes.
        group.key = (group.role, f"\0{self._next}")
        self._by_key[group.key] = self._next
        if group.name.startswith(INJECTION):
            self._ours.add(self._next)
        self._notices += len(group.history)
        self._count_maps(self._next)

    def _remove(self, one: int) -> None:
        group = self._groups.pop(one)
        if self._by_key.get(group.key) == one:
            del self._by_key[group.key]
        for name in _all_names(group.history):
            named = self._named.get((group.role, name))
            if named is not None:
                named.discard(one)
                if not named:
                    del self._named[group.role, name]
        self._ours.discard(one)
        self._notices -= len(group.history)
        self._maps -= self._mapped.pop(one, 0)

    def _namesakes(self, base: EventKey) -> list[int]:
        """Events of one id, the earliest first."""
        found = [one for one in self._named.get(base, ()) if self._groups[one].base == base]
        return sorted(found, key=lambda one: self._groups[one].earliest_mjd_tai)

    def _name_all(self, base: EventKey) -> None:
        """Name the events that have one id: the earliest has it, later ones a date with it."""
        wanted: dict[EventKey, int] = {}
        for place, one in enumerate(self._namesakes(base)):
            group = self._groups[one]
            name = group.name if not place else f"{group.name}@{_day(group.earliest_mjd_tai)}"
            while (base[0], name) in wanted:
                name += "+"
            wanted[base[0], name] = one
        changed = {key: one for key, one in wanted.items() if self._groups[one].key != key}
        for one in changed.values():
            self._by_key.pop(self._groups[one].key, None)
        for key, one in changed.items():
            self._groups[one].settle(key)
            self._by_key[key] = one

    def _forget_some(self, base: EventKey) -> None:
        """Keep what is held within its bounds."""
        if len(self._namesakes(base)) > _NAMESAKES_KEPT:
            self._forget(self._namesakes(base)[0])
        while len(self._ours) > _INJECTIONS_KEPT:
            self._forget(self._oldest(self._ours))
        while len(self._groups) > self._max_events or (
            self._notices > _NOTICES_PER_EVENT_HELD * self._max_events and len(self._groups) > 1
        ):
            self._forget(self._oldest(self._groups))
        while self._maps > self._max_maps and len(self._mapped) > 1:
            self._forget(self._oldest(self._mapped))

    def _oldest(self, of: Iterable[int]) -> int:
        return min(of, key=lambda one: self._groups[one].age)

    def _forget(self, one: int) -> None:
        base = self._groups[one].base
        self._remove(one)
        self._name_all(base)


def _all_names(history: History) -> Iterator[str]:
    for heard in history.heard:
        for name in heard.names:
            yield name.text


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


def _identity(event: ActiveEvent | None) -> tuple[str, float] | None:
    return None if event is None else (event.notice.notice_id, event.notice.event_mjd_tai)


def _day(mjd: float) -> str:
    """The calendar day of an MJD, as ISO 8601."""
    return str(np.datetime64("1858-11-17") + np.timedelta64(int(np.floor(mjd)), "D"))
