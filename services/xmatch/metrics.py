"""What xmatch measures beyond the common instruments."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.xmatch.catalog_index import CatalogIndex
from shared.alert_batch import AlertBatch


class XmatchMetrics:
    """Matches by catalog, and which catalogs are there at all."""

    def __init__(self, registry: CollectorRegistry, catalogs: Sequence[CatalogIndex] = ()) -> None:
        self._matches = Counter(
            "tocsin_xmatch_matches",
            "Catalog sources put on alerts",
            ("catalog",),
            registry=registry,
        )
        self._rows = Gauge(
            "tocsin_xmatch_catalog_rows",
            "Rows of each catalog that is searched",
            ("catalog", "version"),
            registry=registry,
        )
        self.serving(catalogs)

    def serving(self, catalogs: Sequence[CatalogIndex]) -> None:
        """Say which catalogs are searched from now on."""
        self._rows.clear()
        for catalog in catalogs:
            self._rows.labels(catalog.name, catalog.version).set(len(catalog.positions))
            self._matches.labels(catalog.name)

    def matched(self, batch: AlertBatch) -> None:
        """Count the matches of a batch that has them."""
        found: pa.StructArray = batch.column("matches").flatten()
        for entry in found.field("catalog").value_counts():
            self._matches.labels(entry["values"].as_py()).inc(entry["counts"].as_py())
