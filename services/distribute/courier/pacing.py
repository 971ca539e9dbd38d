"""Rates: how many deliveries a subscription may have now, and how long to wait after a failure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable


class Allowance:
    """A token bucket: so many a minute on average, a burst of what one minute allows at most.

    Parameters
    ----------
    per_minute
        Deliveries a minute.
    clock
        Seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._most = float(max(1, per_minute))
        self._clock = clock
        self._left = self._most
        self._at_s = clock()

    def left(self) -> int:
        """How many may go now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at_s) * self._per_second)
        self._at_s = now
        return int(self._left)

    def spend(self, deliveries: int) -> None:
        """So many have gone."""
        self._left -= deliveries

    def wait_s(self) -> float:
        """Seconds until the next one may go."""
        return max(0.0, (1 - self._left) / self._per_second)


class Pauses:
    """Pauses between attempts at a peer that is away: doubling, with a quarter of chance."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self._first_s = first_s
        self._last_s = last_s
        self._next_s = first_s

    def next_s(self, asked_s: float | None = None) -> float:
        """The next pause, seconds; at least what the peer asked for, up to an hour."""
        pause_s = self._next_s * random.uniform(0.75, 1.25)  # noqa: S311  # no secret
        self._next_s = min(2 * self._next_s, self._last_s)
        return max(pause_s, min(asked_s or 0.0, 3600.0))

    def reset(self) -> None:
        """The peer is there."""
        self._next_s = self._first_s
