"""Survey packets kept as they came; its own module, for the river keeps them without a database."""

from __future__ import annotations

import asyncio

from services.archive.metrics import ArchiveMetrics
from services.archive.packets import LogPolicy, PacketStore
from services.archive.settings import ArchiveSettings
from shared.archive.packets import packets_root
from shared.kafka.app import ServiceApp, create_app
from shared.kafka.packets import add_packet_source
from shared.kafka.records import Packet

PACKET_GROUP = "archive.packets"
"""Consumer group of the survey's topics, without prefix: the archive's own, beside ingest's."""


def create_packets_app(settings: ArchiveSettings, beside: ServiceApp) -> ServiceApp:
    """The archive's keeping of packets as a part of another's process; connects to nothing."""
    app = create_app("archive", settings, beside)
    keep_packets(app, settings, ArchiveMetrics(app.metrics.registry))
    return app


def keep_packets(app: ServiceApp, settings: ArchiveSettings, metrics: ArchiveMetrics) -> None:
    """Have ``app`` read the survey's topics and keep every packet."""
    add_packet_source(
        app,
        settings,
        group=PACKET_GROUP,
        topics=[topic for _, topic in settings.survey_topic_pairs()],
        handle=PacketKeeper(settings, metrics).keep,
    )


class PacketKeeper:
    """Keeps survey packets in segments, in a thread: writing and checksums free the loop."""

    def __init__(self, settings: ArchiveSettings, metrics: ArchiveMetrics) -> None:
        self._root = packets_root(settings.state_dir)
        self._policy: LogPolicy = settings.log_policy()
        self._metrics = metrics
        self._packets: PacketStore | None = None

    async def keep(self, packets: list[Packet]) -> None:
        """Write packets; opening the folder is part of it, so that a lock on it is waited for."""
        new = await asyncio.to_thread(self._append, packets)
        self._metrics.packets.inc(new)
        self._metrics.repeats.labels("packets").inc(len(packets) - new)
        self._metrics.packet_bytes.inc(sum(len(packet.value) for packet in packets))

    def close(self) -> None:
        """Close all segments."""
        if self._packets is not None:
            self._packets.close()
            self._packets = None

    def _append(self, packets: list[Packet]) -> int:
        if self._packets is None:
            self._packets = PacketStore(self._root, self._policy)
        return self._packets.append(packets)
