"""Lag and progress of consumer groups, asked of Kafka itself rather than of the consumer."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import structlog
from aiokafka.errors import KafkaError

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.settings import ServiceSettings
from shared.telemetry.health import Progress
from shared.telemetry.metrics import ServiceMetrics

log = structlog.get_logger()
_EVERY_S = 5.0


class LagWatch:
    """Compares, every few seconds, what a group has committed with where its topics end."""

    def __init__(
        self, settings: ServiceSettings, metrics: ServiceMetrics, progress: Progress
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._progress = progress
        self._watched: dict[str, list[str]] = defaultdict(list)

    def watch(self, group: str, topic: str) -> None:
        """Add a topic (full name) that ``group`` (full name) reads."""
        self._watched[group].append(topic)

    async def run(self) -> None:
        """Watch until cancelled. Kafka being away is not this process's illness."""
        while True:
            try:
                async with KafkaAdmin(self._settings) as admin:
                    while True:
                        await self._look(admin)
                        await asyncio.sleep(_EVERY_S)
            except (UpstreamUnavailableError, KafkaError, OSError) as error:
                log.warning("lag_unknown", error=repr(error))
                await asyncio.sleep(_EVERY_S)

    async def _look(self, admin: KafkaAdmin) -> None:
        for group, topics in self._watched.items():
            ends = await admin.end_offsets(topics)
            committed = await admin.committed(group)
            for (topic, partition), end in ends.items():
                done = max(committed.get((topic, partition), 0), 0)
                lag = max(end - done, 0)
                self._metrics.consumer_lag.labels(self._metrics.service, topic, str(partition)).set(
                    lag
                )
                self._progress.report(f"{group}:{topic}:{partition}", done, lag)
