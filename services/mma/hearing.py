"""What a worker hears from the topics that it reads whole: notices, and all that was told."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from pydantic import ValidationError

from services.mma.correlator import Correlator
from services.mma.metrics import MmaMetrics
from shared.errors import RejectedRecordError
from shared.kafka.records import Record
from shared.schemas.association import Association
from shared.schemas.coincidence import CoincidenceRecord
from shared.schemas.event import EventRecord
from shared.schemas.notice import Notice


class Hearing:
    """Takes records of notices, and of what was told of them, into the memory.

    Parameters
    ----------
    correlator, metrics
        The memory, and what counts.
    on_change
        Called when something may have to be told.
    """

    def __init__(
        self, correlator: Correlator, metrics: MmaMetrics, on_change: Callable[[], None]
    ) -> None:
        self._correlator = correlator
        self._metrics = metrics
        self._on_change = on_change

    def notice(self, record: Record) -> None:
        """A record of ``notices``; what cannot be used is counted and left."""
        try:
            notice = Notice.from_json(record.value)
        except ValidationError:
            self._metrics.notice("unknown", "not_a_notice")
            return
        try:
            self._correlator.take_notice(notice)
            self._metrics.notice(notice.notice_type, "taken")
            self._metrics.indexed(notice, time.time())
        except RejectedRecordError as error:
            self._metrics.notice(notice.notice_type, error.reason)
        self._on_change()

    def event(self, record: Record) -> None:
        """A record of ``events``, by this worker or another."""
        with suppress(ValidationError):
            self._correlator.event_list.observe(EventRecord.from_json(record.value))

    def coincidence(self, record: Record) -> None:
        """A record of ``coincidences``, by this worker or another."""
        with suppress(ValidationError):
            self._correlator.coincidences.observe(CoincidenceRecord.from_json(record.value))

    def association(self, record: Record) -> None:
        """A record of ``associations``, by this worker or another."""
        try:
            self._correlator.take_association(Association.from_json(record.value))
        except ValidationError:
            return
        self._on_change()
