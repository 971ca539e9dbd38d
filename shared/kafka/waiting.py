"""A worker that starts while Kafka is away waits for it.

Faust would end the process; started again after ever longer pauses, with seconds for every start,
it would come back long after Kafka has.
"""

from __future__ import annotations

import asyncio

import structlog
from aiokafka.errors import KafkaError

from shared.errors import UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.settings import ServiceSettings

log = structlog.get_logger()
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0


async def wait_for_kafka(settings: ServiceSettings) -> None:
    """Return when a broker answers."""
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            async with KafkaAdmin(settings) as admin:
                await admin.topics()
        except (UpstreamUnavailableError, KafkaError, OSError) as error:
            log.warning("waits_for_kafka", error=str(error), again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        else:
            return
