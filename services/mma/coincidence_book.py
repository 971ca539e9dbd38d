"""Coincidences of events that were told, and what must be told of them now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np

from services.mma.coincidences import Coincidence, Pair, partners, weighed
from services.mma.event_candidates import Best, ranked
from services.mma.event_store import EventStore
from services.mma.events import ActiveEvent, EventKey
from services.mma.ledger import Ledger
from services.mma.skymaps.multi_order import MultiOrderMap
from shared.schemas.association import Association
from shared.schemas.coincidence import CoincidenceRecord, CoincidentEvent
from shared.sky.healpix import healpix29_of

MAX_COINCIDENCES = 5000
_WEIGHED_KEPT = 64
_NOT_COMPARED = {"state": "new", "reason": ""}


class CoincidenceBook:
    """The last statement about each pair of events; the ``coincidences`` topic is the truth.

    Parameters
    ----------
    events, ledger
        What is known of events, and of the alerts associated with them.
    max_credible_level
        Largest level of the combined map at which a candidate counts as inside.
    """

    def __init__(self, events: EventStore, ledger: Ledger, max_credible_level: float) -> None:
        self._events = events
        self._ledger = ledger
        self._max_credible_level = max_credible_level
        self._told: dict[str, CoincidenceRecord] = {}
        self._of_event: dict[EventKey, dict[str, None]] = {}
        self._weighed: OrderedDict[tuple[object, ...], tuple[Coincidence, MultiOrderMap | None]]
        self._weighed = OrderedDict()

    def observe(self, record: CoincidenceRecord) -> None:
        """Take note of what was told, by this worker or another."""
        name = record.coincidence_id
        self._told.pop(name, None)
        self._told[name] = record
        for side in (record.first, record.second):
            self._of_event.setdefault((record.role, side.event_id), {})[name] = None
        while len(self._told) > MAX_COINCIDENCES:
            self._forget(next(iter(self._told)))

    def standing(self, key: EventKey) -> list[CoincidenceRecord]:
        """What was told of an event and not withdrawn."""
        told = (self._told[name] for name in self._of_event.get(key, ()))
        return [one for one in told if one.state != "withdrawn"]

    def news(self, changed: Iterable[EventKey]) -> list[CoincidenceRecord]:
        """What must be told now that events, or the alerts associated with them, have changed."""
        active = self._events.snapshot().events
        found: dict[str, CoincidenceRecord] = {}
        doubtful: dict[str, CoincidenceRecord] = {}
        for key in changed:
            doubtful |= {one.coincidence_id: one for one in self.standing(key)}
            event = self._events.active(key)
            for pair in () if event is None else partners(event, active):
                record = self._record(pair)
                if record is not None:
                    found[record.coincidence_id] = record
        gone = (self._withdrawal(one) for name, one in doubtful.items() if name not in found)
        news = [one for one in (*map(self._changed, found.values()), *gone) if one is not None]
        for one in news:
            self.observe(one)
        return news

    def _changed(self, record: CoincidenceRecord) -> CoincidenceRecord | None:
        known = self._told.get(record.coincidence_id)
        if known is None or known.state == "withdrawn":
            return record
        if _compared(known) == _compared(record):
            return None
        reason = "a newer notice" if _sides(known) != _sides(record) else "other candidates"
        return record.model_copy(update={"state": "updated", "reason": reason})

    def _withdrawal(self, known: CoincidenceRecord) -> CoincidenceRecord | None:
        """Its withdrawal; None if one of the two was only forgotten."""
        reason = "their places or times no longer agree"
        for side in (known.first, known.second):
            key = (known.role, side.event_id)
            successor = self._events.successor(key)
            if successor is not None:
                reason = f"{side.event_id} is known as {successor[1]}"
            elif self._events.history(key) is None:
                return None
            elif self._events.active(key) is None:
                reason = f"{side.event_id} was retracted"
        return known.model_copy(update={"state": "withdrawn", "reason": reason})

    def _record(self, pair: Pair) -> CoincidenceRecord | None:
        """The pair as it stands; None if the places exclude each other."""
        one, joint = self._weigh(pair)
        if joint is None:
            return None
        ra_deg, dec_deg = joint.mode()
        return CoincidenceRecord(
            state="new",
            role=one.first.notice.role,
            first=_side(one.first),
            second=_side(one.second),
            offset_s=one.offset_s,
            window_s=(one.window.before_s, one.window.after_s),
            overlap=one.overlap,
            raven_far_hz=one.raven_far_hz,
            joint_far_hz=one.joint_far_hz,
            ra_deg=ra_deg,
            dec_deg=dec_deg,
            area_50_deg2=joint.searched_area_deg2(0.5),
            area_90_deg2=joint.searched_area_deg2(0.9),
            distance_mpc=joint.distance_mpc,
            candidates=ranked(self._inside(one, joint)),
        )

    def _weigh(self, pair: Pair) -> tuple[Coincidence, MultiOrderMap | None]:
        """Overlap and combined map: the costly part, once for each pair of regions."""
        first, second, _ = pair
        name = tuple(
            (*e.key, e.notice.notice_id, e.notice.event_mjd_tai, e.notice.far_hz)
            for e in (first, second)
        )
        known = self._weighed.pop(name, None)
        if known is None:
            one = weighed(*pair)
            known = one, one.joint_map()
        self._weighed[name] = known
        while len(self._weighed) > _WEIGHED_KEPT:
            self._weighed.popitem(last=False)
        return known

    def _inside(self, one: Coincidence, joint: MultiOrderMap) -> list[Best]:
        """Alerts that stand for either event, with their levels in the combined map."""
        alerts: dict[tuple[str, str], Association] = {}
        for key in (one.second.key, one.first.key):
            alerts |= {(a.survey, a.alert_id): a for a in self._ledger.standing(key)}
        if not alerts:
            return []
        told = list(alerts.values())
        ra_deg = np.array([a.ra_deg for a in told])
        dec_deg = np.array([a.dec_deg for a in told])
        levels = joint.credible_levels(ra_deg, dec_deg, healpix29_of(ra_deg, dec_deg))
        event_mjd = one.first.notice.event_mjd_tai
        return [
            Best(a, float(level), a.first_detection_mjd_tai - event_mjd, (float(level),))
            for a, level in zip(told, levels, strict=True)
            if level <= self._max_credible_level
        ]

    def _forget(self, name: str) -> None:
        record = self._told.pop(name)
        for side in (record.first, record.second):
            key = (record.role, side.event_id)
            names = self._of_event.get(key, {})
            names.pop(name, None)
            if not names:
                self._of_event.pop(key, None)


def _side(event: ActiveEvent) -> CoincidentEvent:
    notice = event.notice
    return CoincidentEvent(
        event_id=notice.event_id,
        notice_id=notice.notice_id,
        notice_type=notice.notice_type,
        messenger=notice.messenger,
        event_time=notice.event_time,
        far_hz=notice.far_hz,
    )


def _sides(record: CoincidenceRecord) -> Sequence[str]:
    return record.first.notice_id, record.second.notice_id


def _compared(record: CoincidenceRecord) -> CoincidenceRecord:
    """Without what is no news by itself: the same map sent again under another id."""
    sides = {
        name: getattr(record, name).model_copy(update={"notice_id": ""})
        for name in ("first", "second")
    }
    return record.model_copy(update={**_NOT_COMPARED, **sides})
