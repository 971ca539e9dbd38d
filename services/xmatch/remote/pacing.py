"""How often a service may be asked: a token bucket, and a breaker that spares who is ill."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class TokenBucket:
    """At most ``rate_per_s`` requests a second in the long run, ``burst`` at once."""

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._rate_per_s, self._burst = rate_per_s, float(burst)
        self._clock, self._sleep = clock, sleep
        self._tokens, self._at_s = float(burst), clock()

    async def take(self, within_s: float) -> bool:
        """Wait for a token and take it; False at once if none comes within ``within_s``."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at_s) * self._rate_per_s)
        self._at_s = now
        wait_s = max(0.0, (1.0 - self._tokens) / self._rate_per_s)
        if wait_s > within_s:
            return False
        self._tokens -= 1.0  # whoever comes next waits behind us
        if wait_s:
            await self._sleep(wait_s)
        return True


class BreakerState(StrEnum):
    """What a breaker lets pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Opens after failures in a row; then lets one request through from time to time.

    Parameters
    ----------
    failures
        Failures in a row that open it.
    pause_s, longest_pause_s
        How long it stays open: doubling with every probe that fails.
    """

    def __init__(
        self,
        failures: int,
        pause_s: float,
        longest_pause_s: float,
        clock: Clock = time.monotonic,
    ) -> None:
        self._most_failures = failures
        self._first_pause_s, self._longest_pause_s = pause_s, longest_pause_s
        self._clock = clock
        self._failures = 0
        self._pause_s = pause_s
        self._open_until_s: float | None = None
        self._is_probing = False

    @property
    def state(self) -> BreakerState:
        """Whether requests pass, none, or one to see."""
        if self._open_until_s is None:
            return BreakerState.CLOSED
        is_over = self._clock() >= self._open_until_s
        return BreakerState.HALF_OPEN if is_over or self._is_probing else BreakerState.OPEN

    def allows(self) -> bool:
        """Whether a request may be sent now; a True in half-open is for one request only."""
        state = self.state
        if state is BreakerState.HALF_OPEN and not self._is_probing:
            self._is_probing = True
            return True
        return state is BreakerState.CLOSED

    def wait_s(self) -> float:
        """How long until it may let a request through, seconds."""
        if self._open_until_s is None:
            return 0.0
        return max(0.0, self._open_until_s - self._clock())

    def abandoned(self) -> None:
        """A request that was allowed was not sent, or nobody waits for its answer any more."""
        self._is_probing = False

    def succeeded(self) -> None:
        """A request was answered."""
        self._failures, self._open_until_s, self._is_probing = 0, None, False
        self._pause_s = self._first_pause_s

    def failed(self, not_before_s: float = 0.0) -> None:
        """A request failed; ``not_before_s`` is how long the service wants to be left alone."""
        self._failures += 1
        if self._is_probing:
            self._pause_s = min(2.0 * self._pause_s, self._longest_pause_s)
        if self._is_probing or self._failures >= self._most_failures or not_before_s > 0:
            pause_s = min(max(self._pause_s, not_before_s), self._longest_pause_s)
            self._open_until_s = self._clock() + pause_s
        self._is_probing = False
