"""What mma measures beyond the common instruments."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.mma.correlator import Correlator
from shared.schemas.association import Association


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
        sizes = Gauge("tocsin_mma_memory", "What is held in memory", ("what",), registry=registry)
        sizes.labels("events").set_function(lambda: len(correlator.events))
        sizes.labels("active_events").set_function(lambda: len(correlator.events.snapshot().events))
        sizes.labels("recent_alerts").set_function(lambda: len(correlator.recent_alerts))
        sizes.labels("associations").set_function(lambda: len(correlator.ledger))

    def notice(self, notice_type: str, outcome: str) -> None:
        """A notice of ``notice_type`` was taken, or left for the reason ``outcome``."""
        self._notices.labels(notice_type, outcome).inc()

    def told(self, associations: Sequence[Association]) -> None:
        """``associations`` go out."""
        for association in associations:
            self._associations.labels(association.messenger, association.state).inc()
