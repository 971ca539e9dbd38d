"""What ingest measures beyond the common instruments."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from services.ingest.normalise import Normalised


class IngestMetrics:
    """Counted per take; a failure here never stops a packet."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.alerts = Counter(
            "tocsin_ingest_alerts", "Alerts made of packets", ("survey",), registry=registry
        )
        self.points = Counter(
            "tocsin_ingest_light_curve_points",
            "Light-curve points in these alerts",
            ("survey",),
            registry=registry,
        )
        self.sent_before = Counter(
            "tocsin_ingest_redelivered",
            "Packets that Kafka delivered again after their alerts were sent",
            registry=registry,
        )

    def normalised(self, result: Normalised) -> None:
        """Count one take."""
        for one in result.batches:
            survey = one.batch.survey
            self.alerts.labels(survey).inc(len(one.batch))
            self.points.labels(survey).inc(len(one.batch.light_curves.mjd_tai))
        self.sent_before.inc(result.sent_before)
