"""The topics distribute writes: made if missing, refused if they cannot mirror the river."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin, ensure_topics
from shared.settings import ServiceSettings

log = structlog.get_logger()


_HOUR_MS = 3_600_000


class OutTopics:
    """Sees to it that every out topic exists, with at least the river's partitions.

    A message goes to the partition number of its source: this is what makes each out partition
    the property of one worker, and its tail a memory.

    Parameters
    ----------
    settings
        Where Kafka is.
    names
        Full names of the topics to begin with.
    retention_hours
        How long topics keep a message unless their filter says otherwise.
    """

    def __init__(
        self, settings: ServiceSettings, names: Sequence[str], retention_hours: float
    ) -> None:
        self._settings = settings
        self._retention_hours = retention_hours
        self._wanted: dict[str, float | None] = dict.fromkeys(names)
        self._there: set[str] = set()
        self._lock = asyncio.Lock()

    async def add(self, topics: Mapping[str, float | None]) -> None:
        """Make further topics, each with the hours it keeps a message, None for the usual.

        Raises
        ------
        UpstreamUnavailableError
            As ``ensure``; the topics are then made by the next call.
        """
        self._wanted = {**self._wanted, **topics}
        await self.ensure()

    async def ensure(self) -> None:
        """Make what is missing; quick once it is done.

        Raises
        ------
        UpstreamUnavailableError
            If Kafka does not answer, or a topic has too few partitions.
        """
        async with self._lock:
            missing = [name for name in self._wanted if name not in self._there]
            if not missing:
                return
            kept_ms = {
                name: int((self._wanted[name] or self._retention_hours) * _HOUR_MS)
                for name in missing
            }
            made = await ensure_topics(self._settings, missing, kept_ms)
            if made:
                log.info("out_topics_made", topics=made)
            await self._require_partitions([name for name in missing if name not in made])
            self._there.update(missing)

    async def _require_partitions(self, names: Sequence[str]) -> None:
        if not names:
            return
        async with KafkaAdmin(self._settings) as admin:
            partitions = await admin.partitions(names)
        for name in names:
            count = sum(1 for topic, _ in partitions if topic == name)
            if 0 < count < self._settings.partitions:
                raise UpstreamUnavailableError(
                    f"topic {name} has {count} partitions and needs {self._settings.partitions}:"
                    " add partitions to it"
                )
