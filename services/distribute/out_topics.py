"""The topics distribute writes: made if missing, and refused if they cannot mirror the river."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin, ensure_topics
from shared.settings import ServiceSettings

log = structlog.get_logger()


class OutTopics:
    """Checks once that every out topic exists with at least the river's partitions.

    A message goes to the partition number of its source: this is what makes each out partition
    the property of one worker, and its tail a memory.
    """

    def __init__(self, settings: ServiceSettings, names: Sequence[str]) -> None:
        self._settings = settings
        self._names = tuple(names)
        self._lock = asyncio.Lock()
        self._is_ready = False

    async def ensure(self) -> None:
        """Make what is missing; quick once it is done.

        Raises
        ------
        UpstreamUnavailableError
            If Kafka does not answer, or a topic has too few partitions.
        """
        async with self._lock:
            if self._is_ready:
                return
            made = await ensure_topics(self._settings, self._names)
            if made:
                log.info("out_topics_made", topics=made)
            else:
                await self._require_partitions()
            self._is_ready = True

    async def _require_partitions(self) -> None:
        async with KafkaAdmin(self._settings) as admin:
            partitions = await admin.partitions(self._names)
        for name in self._names:
            count = sum(1 for topic, _ in partitions if topic == name)
            if 0 < count < self._settings.partitions:
                raise UpstreamUnavailableError(
                    f"topic {name} has {count} partitions and needs {self._settings.partitions}:"
                    " add partitions to it"
                )
