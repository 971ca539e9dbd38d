"""What mma measures beyond the common instruments."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.mma.correlator import Correlator
from services.mma.event_store import INJECTION
from shared.schemas.association import Association
from shared.schemas.notice import Notice

_OLD_S = 600.0


class MmaMetrics:
    """Notices by type, associations by what became of them, and the size of the memory."""

    def __init__(self, registry: CollectorRegistry, correlator: Correlator) -> None:
        self._notices = Counter(
            "tocsin_mma_notices",
            "Notices read from the topic; outcome is taken or the reason why not",
            ("notice_type", "outcome"),
            registry=registry,
        )
        self._associations = Counter(
            "tocsin_mma_associations",
            "Associations told, by messenger and state",
            ("messenger", "state"),
            registry=registry,
        )
        self._coincidences = Counter(
            "tocsin_mma_coincidences",
            "Coincidences of events told, by state",
            ("state",),
            registry=registry,
        )
        self._age = Histogram(
            "tocsin_mma_notice_age_seconds",
            "From a notice's receipt to its being held against alerts; injections apart",
            ("kind",),
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
            registry=registry,
        )
        sizes = Gauge("tocsin_mma_memory", "What is held in memory", ("what",), registry=registry)
        sizes.labels("events").set_function(lambda: len(correlator.events))
        sizes.labels("active_events").set_function(lambda: len(correlator.events.snapshot().events))
        sizes.labels("recent_alerts").set_function(lambda: len(correlator.recent_alerts))
        sizes.labels("associations").set_function(lambda: len(correlator.ledger))

    def notice(self, notice_type: str, outcome: str) -> None:
        """A notice of ``notice_type`` was taken, or left for the reason ``outcome``."""
        self._notices.labels(notice_type, outcome).inc()

    def indexed(self, notice: Notice, now_s: float) -> None:
        """A notice is held against alerts from now on; old ones, read at a start, do not count."""
        age_s = now_s - notice.received_ms / 1000.0
        if age_s < _OLD_S:
            self._age.labels(
                "injection" if notice.event_id.startswith(INJECTION) else "notice"
            ).observe(max(age_s, 0.0))

    def coincidence(self, state: str) -> None:
        """A coincidence of events goes out."""
        self._coincidences.labels(state).inc()

    def told(self, associations: Sequence[Association]) -> None:
        """``associations`` go out."""
        for association in associations:
            self._associations.labels(association.messenger, association.state).inc()
