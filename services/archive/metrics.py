"""What the archive measures beyond the common instruments."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class ArchiveMetrics:
    """Counted per batch; a failure here never stops a record."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.documents = Counter(
            "tocsin_archive_documents",
            "Documents inserted into the database",
            ("collection",),
            registry=registry,
        )
        self.repeats = Counter(
            "tocsin_archive_repeats",
            "Documents and packets that were there already",
            ("collection",),
            registry=registry,
        )
        self.packets = Counter(
            "tocsin_archive_packets", "Survey packets written to segments", registry=registry
        )
        self.packet_bytes = Counter(
            "tocsin_archive_packet_bytes",
            "Bytes of survey packets received for segments",
            registry=registry,
        )
