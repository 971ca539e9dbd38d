"""Events that changed against the archive's alerts: what memory has forgotten, or never had.

Memory holds the alerts since the worker started, up to a number. A notice may be about the
nights before: its window is asked of the archive, whichever alerts memory has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import structlog

from services.mma.archive_alerts import archived_alerts
from services.mma.correlator import Correlator
from services.mma.events import EventKey
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.schemas.association import Association
from shared.store import Store

log = structlog.get_logger()


class LookBack:
    """Asks the archive about events; those it could not ask about are asked again.

    Parameters
    ----------
    correlator
        The worker's memory.
    open_store
        Makes the connection when it is first needed.
    surveys
        Whose alerts.
    recent_ms
        Only events with a notice received so lately are asked about: at a start the whole
        ``notices`` topic is read again, and what was old then has been asked already.
    """

    def __init__(
        self,
        correlator: Correlator,
        open_store: Callable[[], Store],
        surveys: list[str],
        recent_ms: int,
    ) -> None:
        self._correlator = correlator
        self._open_store = open_store
        self._surveys = surveys
        self._recent_ms = recent_ms
        self._store: Store | None = None
        self._waiting: dict[EventKey, None] = {}

    @property
    def is_behind(self) -> bool:
        """Whether some events are still to be asked about."""
        return bool(self._waiting)

    async def news(self, now_ms: int) -> AsyncIterator[list[Association]]:
        """What the archive's alerts add, event by event, in lists that are not empty."""
        for key, received_ms in self._correlator.changed_events():
            if received_ms >= now_ms - self._recent_ms:
                self._waiting[key] = None
        for key in tuple(self._waiting):
            try:
                found = await self._found(key)
            except (UpstreamUnavailableError, RejectedRecordError) as error:
                log.warning("look_back_waits", event_id=key[1], error=str(error))
                return
            del self._waiting[key]
            if found:
                yield found

    async def _found(self, key: EventKey) -> list[Association]:
        event = self._correlator.events.active(key)
        if event is None:
            return []
        if self._store is None:
            self._store = self._open_store()
        found: dict[str, Association] = {}
        start, end = event.window_start_mjd_tai, event.window_end_mjd_tai
        async for block in archived_alerts(self._store, self._surveys, start, end):
            for association in self._correlator.look_back(key, block):
                found.setdefault(association.association_id, association)
        return list(found.values())

    def close(self) -> None:
        """Close the connection."""
        if self._store is not None:
            self._store.close()
            self._store = None
