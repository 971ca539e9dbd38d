"""Events, recent alerts and what was told, held together: both directions of the match."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from services.mma.candidates import Candidates, RecentAlerts
from services.mma.coincidence_book import CoincidenceBook
from services.mma.correlate import Correlated, correlate
from services.mma.event_list import EventList
from services.mma.event_store import INJECTION, EventStore
from services.mma.events import ActiveEvent, EventKey, Snapshot
from services.mma.evidence import Measured, weigh
from services.mma.injected_alert import injected_alert
from services.mma.ledger import Ledger
from services.mma.matching import associations_of, match
from services.mma.statistics.alert_density import AlertDensity
from shared.alert_batch import AlertBatch
from shared.schemas.association import Association
from shared.schemas.coincidence import CoincidenceRecord
from shared.schemas.event import EventRecord
from shared.schemas.notice import Notice


class Correlator:
    """The memory of one worker, rebuilt from ``notices`` and ``associations``.

    Parameters
    ----------
    max_credible_level
        Largest credible level that counts as inside.
    max_events, max_maps, max_recent_alerts, max_associations
        Bounds of the memory.
    """

    def __init__(
        self,
        *,
        max_credible_level: float = 0.95,
        max_events: int = 5000,
        max_maps: int = 400,
        max_recent_alerts: int = 300_000,
        max_associations: int = 100_000,
    ) -> None:
        self._max_credible_level = max_credible_level
        self.events = EventStore(max_credible_level, max_events, max_maps)
        self.recent_alerts = RecentAlerts(max_recent_alerts)
        self.ledger = Ledger(max_associations)
        self.coincidences = CoincidenceBook(self.events, self.ledger, max_credible_level)
        self.event_list = EventList(self.events, self.ledger, self.coincidences)
        self._density = AlertDensity()
        self._simulated_density = AlertDensity()
        self._unsettled: dict[EventKey, None] = {}
        self._changed: dict[EventKey, None] = {}
        self._stirred: dict[EventKey, None] = {}
        self.last_notice_ms: int | None = None
        self.last_injection_ms: int | None = None

    def take_notice(self, notice: Notice) -> None:
        """Take in a notice; raises ``RejectedRecordError`` if its region cannot be compiled."""
        for key in self.events.add(notice):
            self._unsettled[key] = None
        if notice.event_id.startswith(INJECTION):
            self.last_injection_ms = notice.received_ms
        else:
            self.last_notice_ms = notice.received_ms

    def take_association(self, association: Association) -> None:
        """Take in what was told, by this worker or another."""
        self.ledger.observe(association)
        # All that a worker which has just started knows of how far the alerts have come.
        self.event_list.alerts_reach(association.first_detection_mjd_tai)
        key = (association.event_role, association.event_id)
        self._stirred[key] = None
        active = self.events.active(key)
        is_current = active is not None and active.notice.notice_id == association.notice_id
        if association.state != "withdrawn" and not is_current:
            # Told under a version that has been superseded meanwhile.
            self._unsettled[key] = None

    def correlate(self, batch: AlertBatch) -> Correlated:
        """New alerts against the events: the batch with its column, and what is news."""
        found = correlate(batch, self.events.snapshot(), self._max_credible_level, self._measured())
        self.remember(found.candidates)
        if len(batch):
            self.event_list.alerts_reach(float(np.median(batch.floats("mjd_tai"))))
        news = self.ledger.news(self.ledger.ranked(found.associations))
        return Correlated(found.batch, found.candidates, news)

    def remember(self, alerts: Candidates) -> None:
        """Keep ``alerts`` for notices to come, and count them into the density of new ones."""
        self.recent_alerts.add(alerts)
        self._count(alerts)

    def _count(self, alerts: Candidates) -> None:
        simulated = alerts.flags("is_simulated")
        for density, wanted in ((self._density, ~simulated), (self._simulated_density, simulated)):
            if wanted.all():
                density.add(alerts)
            elif wanted.any():
                density.add(Candidates(alerts.record_batch.filter(pa.array(wanted))))

    def _measured(self) -> Measured:
        return Measured(self._density.background(), self._simulated_density.background())

    def changed_events(self) -> list[tuple[EventKey, int]]:
        """Active events that changed since this was last asked, and when their notice came (ms)."""
        changed, self._changed = self._changed, {}
        active = ((key, self.events.active(key)) for key in changed)
        return [(key, event.notice.received_ms) for key, event in active if event is not None]

    def look_back(self, key: EventKey, alerts: Candidates) -> list[Association]:
        """Alerts from elsewhere than memory against one event: what is news among them."""
        event = self.events.active(key)
        if event is None:
            return []
        self._count(alerts)
        snapshot = Snapshot.of([event], self._max_credible_level)
        found = self._matches(alerts, snapshot)
        return self.ledger.news(self.ledger.ranked(found.values()))

    def settle(self) -> list[Association]:
        """Events that changed against the alerts of late: what must be told of it."""
        news: list[Association] = []
        for key in tuple(self._unsettled):
            del self._unsettled[key]
            self._changed[key] = self._stirred[key] = None
            news += self._settle(key, self.events.active(key))
        return news

    def coincidence_news(self) -> list[CoincidenceRecord]:
        """What must be told of events that may be one with another."""
        stirred, self._stirred = self._stirred, {}
        news = self.coincidences.news(stirred)
        sides = ((one.role, side.event_id) for one in news for side in (one.first, one.second))
        self.event_list.touch([*stirred, *sides])
        return news

    def event_news(self) -> list[EventRecord]:
        """Lines of the event list that are not as they were told."""
        return self.event_list.news()

    def _settle(self, key: EventKey, event: ActiveEvent | None) -> list[Association]:
        version = self.events.version(key)
        if event is None and version > 0:
            return self.ledger.withdrawals(key, (), version, "the event was retracted")
        if event is None:
            successor = self.events.successor(key)
            if successor is None:
                return []  # forgotten, not retracted
            reason = f"the event is known as {successor[1]}"
            return self.ledger.withdrawals(key, (), version, reason)
        found = self._all_matches(key, event)
        told = self.ledger.news(self.ledger.ranked(found.values()))
        reason = f"outside the {self._max_credible_level:.0%} region or window of a newer notice"
        return told + self.ledger.withdrawals(key, found.values(), version, reason)

    def _all_matches(self, key: EventKey, event: ActiveEvent) -> dict[str, Association]:
        """Alerts of late and alerts told of before that match the event as it stands now."""
        snapshot = Snapshot.of([event], self._max_credible_level)
        blocks = list(self.recent_alerts.blocks())
        planted = injected_alert(event)
        if planted is not None:
            blocks.append(planted)
        standing = self.ledger.standing(key)
        if standing:
            blocks.append(Candidates.of_associations(standing))
        found: dict[str, Association] = {}
        for block in blocks:
            for name, association in self._matches(block, snapshot).items():
                found.setdefault(name, association)
        return found

    def _matches(self, alerts: Candidates, snapshot: Snapshot) -> dict[str, Association]:
        matches = match(alerts, snapshot, self._max_credible_level)
        evidence = weigh(alerts, snapshot, matches, self._measured())
        told = associations_of(alerts, snapshot, matches, evidence)
        return {association.association_id: association for association in told}
