"""No record of a Faust stream may be skipped: offsets must follow one another.

Faust can pass over a record when a broker returns and its groups are formed anew: a fetch from
before the rebalance moves its read offset on, and the gap counts as acknowledged. It was seen
once in three kills of a broker. So every service checks what it takes, before it does anything
with it; at a gap the process ends, unacknowledged, and its successor starts at what is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog
from aiokafka.errors import KafkaError

from shared.errors import TocsinError, UpstreamUnavailableError
from shared.kafka.admin import KafkaAdmin
from shared.kafka.records import Record
from shared.settings import ServiceSettings

log = structlog.get_logger()
Place = tuple[str, int]
_RETRY_S = 1.0


class SkippedRecordError(TocsinError):
    """Records between what was carried out and what came next were never delivered."""


class Continuity:
    """Knows, for each partition of one consumer group, which offset may come next.

    Our own topics hold no transactions and are not compacted, so their offsets have no holes.
    """

    def __init__(self, settings: ServiceSettings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._next: dict[Place, int] = {}
        self._moved: set[Place] = set()

    def moved(self, places: Iterable[Place]) -> None:
        """These partitions have been assigned anew: others may have carried records meanwhile."""
        self._moved.update(places)

    async def require(self, records: Sequence[Record]) -> None:
        """Accept ``records``, which are about to be carried out; repeats are accepted.

        Raises
        ------
        SkippedRecordError
            If one before them was passed over.
        """
        for record in records:
            place = (record.topic, record.partition)
            expected = self._next.get(place, -1)
            is_unsure = expected < 0 or place in self._moved
            self._moved.discard(place)
            if record.offset > expected and is_unsure:
                expected = max(expected, await self._carried_by_others(place))
            if record.offset > expected:
                raise SkippedRecordError(
                    f"{self._group}: {place[0]}/{place[1]} went from {expected} to {record.offset}"
                )
            self._next[place] = record.offset + 1

    async def _carried_by_others(self, place: Place) -> int:
        """The offset up to which the group has committed, or where the partition now begins."""
        while True:
            try:
                async with KafkaAdmin(self._settings) as admin:
                    committed = (await admin.committed(self._group)).get(place, 0)
                    begin = (await admin.begin_offsets([place[0]])).get(place, 0)
            except (UpstreamUnavailableError, KafkaError, OSError) as error:
                log.warning("continuity_unknown", topic=place[0], error=repr(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return max(committed, begin)
