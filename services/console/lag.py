"""Messages that wait for each service, asked of Kafka, so that a dead service's lag shows too."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka.errors import KafkaError

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.settings import ServiceSettings


async def lag_of(settings: ServiceSettings, services: Iterable[str]) -> dict[str, int] | None:
    """Messages (envelopes, or packets for ingest) not yet committed, by service.

    A service that has never committed is absent; None if Kafka does not answer.
    """
    lag: dict[str, int] = {}
    try:
        async with KafkaAdmin(settings) as admin:
            for service in services:
                committed = await admin.committed(f"{settings.topic_prefix}{service}")
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
