"""What classify measures beyond the common instruments."""

from __future__ import annotations

import pyarrow.compute as pc
from prometheus_client import CollectorRegistry, Counter

from shared.alert_batch import AlertBatch
from shared.schemas.classification import VERDICTS


class ClassifyMetrics:
    """How often each classifier answered, and why it did not."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.verdicts = Counter(
            "tocsin_classify_verdicts",
            "Alerts by classifier and reason; ok means a probability was given",
            ("classifier", "reason"),
            registry=registry,
        )

    def count(self, batch: AlertBatch) -> None:
        """Count the verdicts of a classified batch."""
        for field in VERDICTS:
            if field.type.get_field_index("reason") < 0:
                continue
            reasons = pc.struct_field(batch.column(field.name), "reason")
            for entry in pc.value_counts(reasons).to_pylist():
                self.verdicts.labels(field.name, entry["values"]).inc(entry["counts"])
