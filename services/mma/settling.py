"""Tells what a new, changed or retracted event means for the alerts of late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from services.mma.correlator import Correlator
from services.mma.look_back import LookBack
from shared.schemas.association import Association

_ASK_AGAIN_S = 30.0


class Settling:
    """Tells again whenever something was heard, and while the archive could not be asked.

    Parameters
    ----------
    correlator
        The worker's memory.
    look_back
        Asks the archive about what memory does not have.
    send
        Back when Kafka has acknowledged the associations.
    """

    def __init__(
        self,
        correlator: Correlator,
        look_back: LookBack,
        send: Callable[[Sequence[Association]], Awaitable[None]],
    ) -> None:
        self._correlator = correlator
        self._look_back = look_back
        self._send = send
        self._changed = asyncio.Event()
        self.caught_up = asyncio.Event()
        """Set when everything told so far has been read."""

    def note(self) -> None:
        """Something was heard: look again."""
        self._changed.set()

    async def settle_for_ever(self, tails: Iterable[Callable[[], Awaitable[None]]]) -> None:
        """Wait until each of ``tails`` has caught up, then tell; ends only when cancelled."""
        for caught_up in tails:
            await caught_up()
        self.caught_up.set()
        while True:
            await self._tell(self._correlator.settle())
            async for news in self._look_back.news(int(time.time() * 1000)):
                await self._tell(news)
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    self._changed.wait(), _ASK_AGAIN_S if self._look_back.is_behind else None
                )
            self._changed.clear()

    async def _tell(self, news: Sequence[Association]) -> None:
        if news:
            await self._send(news)
            for association in news:
                self._correlator.take_association(association)
