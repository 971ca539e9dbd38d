"""Messages that wait for each service, asked of Kafka, so that a dead service's lag shows too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka.errors import KafkaError

from services.console.settings import RIVER
from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

INNER = {"xmatch": Topic.ALERTS, "classify": Topic.MATCHED, "mma": Topic.CLASSIFIED}
"""What each service that reads from another reads."""
_GROUPS = {RIVER: "ingest"}
"""Groups that are not named as their service: the river is led by ingest."""
_COORDINATOR_PATIENCE_S = 30


async def lag_of(settings: ServiceSettings, services: Iterable[str]) -> dict[str, int] | None:
    """Messages (envelopes, or packets for ingest) not yet committed, by service.

    A service that has never committed is absent; None if Kafka does not answer.
    """
    lag: dict[str, int] = {}
    try:
        async with KafkaAdmin(settings) as admin:
            for service in services:
                group = _GROUPS.get(service, service)
                committed = await admin.committed(f"{settings.topic_prefix}{group}")
                ends = await admin.end_offsets(sorted({topic for topic, _ in committed}))
                waiting = [
                    max(ends[place] - max(done, 0), 0)
                    for place, done in committed.items()
                    if place in ends
                ]
                if waiting:
                    lag[service] = sum(waiting)
    except (UpstreamUnavailableError, KafkaError, OSError):
        return None
    return lag


async def left_between(settings: ServiceSettings) -> dict[str, int]:
    """Envelopes on the topics between ingest and mma that their reader has not committed.

    Raises
    ------
    UpstreamUnavailableError
        If Kafka does not answer.
    """
    left = {}
    async with KafkaAdmin(settings) as admin:
        for service, topic in INNER.items():
            ends = await admin.end_offsets([topic.named(settings.topic_prefix)])
            committed = {}
            if any(ends.values()):
                committed = await _committed(admin, f"{settings.topic_prefix}{service}")
            left[service] = sum(
                max(end - max(committed.get(place, 0), 0), 0) for place, end in ends.items()
            )
    return left


async def _committed(admin: KafkaAdmin, group: str) -> dict[tuple[str, int], int]:
    """Offsets of ``group``; waits while a broker that has just started looks for them."""
    for _ in range(_COORDINATOR_PATIENCE_S):
        try:
            return await admin.committed(group)
        except KafkaError:
            await asyncio.sleep(1.0)
    raise UpstreamUnavailableError(f"Kafka does not say how far {group} has read")
