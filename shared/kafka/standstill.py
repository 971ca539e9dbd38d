"""A process that stood still for longer than its session must not go on where it was.

Frozen (a debugger, a paused container, a laptop's sleep), it has lost its partitions to another
worker, which has carried on from what was committed; awake again, it knows nothing of that until
its group tells it. What it would send in between, the other has sent. Inside the river that is
harmless; at the edge it is an effect twice. So there it ends, unacknowledged.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

import structlog

from shared.kafka.patience import SESSION_S
from shared.kafka.policy import EXIT_UNACKNOWLEDGED

log = structlog.get_logger()
_EVERY_S = 0.5


def _idle_clock_s() -> float:
    """Seconds, without those in which this process computed: those are no standstill."""
    return time.monotonic() - time.process_time()


class Standstill:
    """Notices that the process did not run for a while.

    Parameters
    ----------
    longest_s
        Standing still for longer ends the process.
    clock
        Seconds that pass while the process is frozen.
    end
        Ends the process at once.
    """

    def __init__(
        self,
        longest_s: float = SESSION_S,
        clock: Callable[[], float] = _idle_clock_s,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._longest_s = longest_s
        self._clock = clock
        self._end = end
        self._seen_at_s: float | None = None

    async def watch(self) -> None:
        """Look at the clock again and again; until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(_EVERY_S)

    def check(self) -> None:
        """End the process if it stood still; to be called before an effect, too."""
        now = self._clock()
        if self._seen_at_s is not None and now - self._seen_at_s > self._longest_s:
            log.critical("stood_still", seconds=round(now - self._seen_at_s, 1))
            self._end(EXIT_UNACKNOWLEDGED)
        self._seen_at_s = now
