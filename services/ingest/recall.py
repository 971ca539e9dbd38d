"""The memory of recent alerts, read again from what was sent: at the start, after a rebalance.

A packet that comes again after a restart must be recognised like any other: by its alert id as
the survey's repeat, by its origin as one that had been sent and not committed. What was sent
stands on the river; its end is read backwards, newest first, for a bounded time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import structlog

from services.ingest.recent import NEW, Int64s, RecentAlerts, keys_of, origins_of
from shared.errors import RejectedRecordError
from shared.kafka.envelopes import read_envelope
from shared.kafka.records import Record

log = structlog.get_logger()
ReadBackwards = Callable[[Mapping[int, int], float], Iterator[list[Record]]]
"""Records from the end, in chunks, down to an offset per partition and for so many seconds."""


class Recall:
    """Brings a memory up to date before the first take, and after partitions have moved.

    Parameters
    ----------
    recent
        The memory.
    read_backwards
        Reads the topic that ingest's alerts go to.
    window
        Alerts after which reading ends, since no more are remembered.
    seconds
        After which reading ends; 0 to start with an empty memory.
    """

    def __init__(
        self, recent: RecentAlerts, read_backwards: ReadBackwards, window: int, seconds: float
    ) -> None:
        self._recent = recent
        self._read_backwards = read_backwards
        self._window = window
        self._seconds = seconds
        self._read_to: dict[int, int] = {}
        self._is_due = True

    def moved(self) -> None:
        """Partitions have been assigned anew: another worker may have sent meanwhile."""
        self._is_due = True

    async def refresh(self) -> None:
        """Read what is due; at once back when nothing is.

        Raises
        ------
        UpstreamUnavailableError
            If Kafka does not answer; to be called again then.
        """
        if not self._is_due:
            return
        self._is_due = False
        try:
            await asyncio.to_thread(self._read)
        except BaseException:
            self._is_due = True
            raise

    def _read(self) -> None:
        began = time.monotonic()
        is_first = not self._read_to
        parts: list[tuple[Int64s, Int64s]] = []
        alerts = 0
        read_to: dict[int, int] = {}
        for chunk in self._read_backwards(self._read_to, self._seconds):
            for record in chunk:
                end = read_to.get(record.partition, 0)
                read_to[record.partition] = max(end, record.offset + 1)
            found = list(_alerts_of(chunk))
            parts += reversed(found)
            alerts += sum(len(keys) for keys, _ in found)
            if alerts >= self._window or not (is_first or self._holds_news(found)):
                break  # what is further back is forgotten anyway, or known
        for keys, origins in reversed(parts):
            self._recent.remember(keys, origins)
        self._read_to |= read_to
        elapsed = round(time.monotonic() - began, 1)
        log.info("recent_alerts_read", alerts=alerts, seconds=elapsed)

    def _holds_news(self, found: Iterable[tuple[Int64s, Int64s]]) -> bool:
        return any(np.any(self._recent.judge(*part) == NEW) for part in found)


def _alerts_of(records: Iterable[Record]) -> Iterator[tuple[Int64s, Int64s]]:
    """Keys and origins of the alerts in each envelope; what is no envelope is left out."""
    for record in records:
        try:
            batch = read_envelope(record.value)
        except RejectedRecordError:
            continue
        if len(batch):
            yield (
                keys_of(batch.survey, batch.column("alert_id")),
                origins_of(
                    batch.strings("origin_topic"),
                    batch.integers("origin_partition"),
                    batch.integers("origin_offset"),
                ),
            )
