"""The event list: what stands of every event, told whenever it has changed.

A record depends only on the notices, on what was told of alerts and coincidences, and on how far
the alerts have come in time; no clock is in it, so any worker writes the same.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from services.mma.coincidence_book import CoincidenceBook
from services.mma.event_candidates import best_of_objects, by_evidence, ranked
from services.mma.event_store import INJECTION, EventStore
from services.mma.events import ActiveEvent, EventKey
from services.mma.history import History
from services.mma.ledger import Ledger
from shared.schemas.event import EventRecord, EventState, EventVersion
from shared.schemas.notice import Notice

MAX_VERSIONS = 50
"""Versions listed; ``version`` counts them all, ``notices`` has them all."""
_MAX_TOLD = 50_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Told:
    digest: bytes
    state: EventState
    version: int


class EventList:
    """What was told of each event; the ``events`` topic is the truth."""

    def __init__(self, events: EventStore, ledger: Ledger, book: CoincidenceBook) -> None:
        self._events = events
        self._ledger = ledger
        self._book = book
        self._told: dict[EventKey, _Told] = {}
        self._dirty: dict[EventKey, None] = {}
        self._horizon_mjd_tai = float("-inf")
        self._has_begun = False

    def touch(self, keys: Iterable[EventKey]) -> None:
        """Something may have changed about these events."""
        self._dirty.update(dict.fromkeys(keys))

    def alerts_reach(self, mjd_tai: float) -> None:
        """Alerts have come so far: what has its window before that has expired."""
        before, self._horizon_mjd_tai = self._horizon_mjd_tai, max(self._horizon_mjd_tai, mjd_tai)
        if self._horizon_mjd_tai > before:
            ends = self._events.snapshot().window_end
            for at in ((before <= ends) & (ends < self._horizon_mjd_tai)).nonzero()[0]:
                self._dirty[self._events.snapshot().events[int(at)].key] = None

    def observe(self, record: EventRecord) -> None:
        """Take note of what was told, by this worker or another.

        What is heard at the start is looked at again: the worker that told it may have gone
        before it told what became of the event. Later it is not, or two workers whose memories
        differ would contradict each other for ever.
        """
        key = (record.role, record.event_id)
        if not self._has_begun:
            self.touch([key])
        self._note(key, _Told(_digest(record), record.state, record.version))

    def _note(self, key: EventKey, told: _Told) -> None:
        self._told.pop(key, None)
        self._told[key] = told
        while len(self._told) > _MAX_TOLD:
            del self._told[next(iter(self._told))]

    def news(self) -> list[EventRecord]:
        """Records of events that are not as they were told, at most some hundreds at once."""
        self._has_begun = True
        self.touch(self._events.take_touched())
        news = []
        for key in tuple(self._dirty)[:_AT_ONCE]:
            del self._dirty[key]
            record = self._record(key)
            known = self._told.get(key)
            if record is None:
                continue
            told = _Told(_digest(record), record.state, record.version)
            if known is None or known.digest != told.digest:
                news.append(record)
                self._note(key, told)
        return news

    @property
    def has_more(self) -> bool:
        """Whether some events are still to be looked at."""
        return bool(self._dirty)

    def _record(self, key: EventKey) -> EventRecord | None:
        role, event_id = key
        if event_id.startswith(INJECTION):
            return None
        history = self._events.history(key)
        if history is None:
            successor = self._events.successor(key)
            if successor is None or key not in self._told:
                return None  # forgotten, or never told of
            return EventRecord.model_validate(
                {"event_id": event_id, "role": role, "state": "joined", "successor": successor[1]}
            )
        record = self._standing(key, history)
        known = self._told.get(key)
        is_as_before = known is not None and known.version == record.version
        if record.state == "active" and is_as_before and known and known.state == "expired":
            # A worker that has just started does not know how far alerts have come.
            return record.model_copy(update={"state": "expired"})
        return record

    def _standing(self, key: EventKey, history: History) -> EventRecord:
        event = self._events.active(key)
        said = event.notice if event is not None else history.notices[-1]
        standing = self._ledger.standing(key)
        objects = best_of_objects(map(by_evidence, standing))
        region = None if event is None else event.region
        return EventRecord(
            event_id=key[1],
            role=said.role,
            state=self._state(event, history),
            names=_names(history),
            notice_types=tuple(sorted({n.notice_type for n in history.notices})),
            messenger=said.messenger,
            event_time=said.event_time,
            event_mjd_tai=said.event_mjd_tai,
            window_start_mjd_tai=None if event is None else event.window_start_mjd_tai,
            window_end_mjd_tai=None if event is None else event.window_end_mjd_tai,
            version=len(history),
            versions=tuple(map(_version, history.notices[-MAX_VERSIONS:])),
            notice_id=None if event is None else said.notice_id,
            far_hz=said.far_hz,
            significant=said.significant,
            classification=said.classification,
            instruments=said.instruments,
            localization=None if event is None else said.localization,
            area_50_deg2=None if region is None else float(region.searched_area_deg2(0.5)),
            area_90_deg2=None if region is None else float(region.searched_area_deg2(0.9)),
            sky_map_url=said.sky_map_url,
            alerts=len(standing),
            objects=len(objects),
            withdrawn=self._ledger.withdrawn(key),
            tiers=dict(sorted(Counter(one.association.tier or "" for one, _ in objects).items())),
            candidates=ranked(map(by_evidence, standing)),
            coincidences=tuple(sorted(c.coincidence_id for c in self._book.standing(key))),
        )

    def _state(self, event: ActiveEvent | None, history: History) -> EventState:
        if event is not None:
            is_past = event.window_end_mjd_tai < self._horizon_mjd_tai
            return "expired" if is_past else "active"
        return "unplaced" if history.standing() else "retracted"


def _names(history: History) -> tuple[str, ...]:
    """Ids and aliases, each once, in order of issue; a few of many."""
    names = (name for n in history.notices for name in (n.event_id, *n.aliases))
    return tuple(dict.fromkeys(names))[:MAX_VERSIONS]


def _version(notice: Notice) -> EventVersion:
    place = notice.localization
    return EventVersion(
        notice_id=notice.notice_id,
        notice_type=notice.notice_type,
        event_id=notice.event_id,
        alert_kind=notice.alert_kind,
        issued_ms=notice.issued_ms,
        serial=notice.serial,
        ivorn=notice.ivorn,
        is_placed=place is not None,
        area_90_deg2=None if place is None else place.area_90_deg2,
    )


def _digest(record: EventRecord) -> bytes:
    return hashlib.blake2b(record.to_json(), digest_size=16).digest()
