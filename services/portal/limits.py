"""How much a caller may ask: requests a minute, bytes a day, refused tokens, streams at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from services.portal.problems import ProblemError
from services.portal.settings import PortalSettings

_MOST_REMEMBERED = 20_000
_MIB = 2**20


@dataclass(slots=True)
class Bucket:
    """A token bucket: ``per_minute`` at most, a minute's worth at once."""

    per_minute: float
    left: float
    at_s: float

    def take(self, now_s: float, amount: float = 1.0) -> bool:
        """Whether ``amount`` was left; it is gone then."""
        self.left = min(self.per_minute, self.left + (now_s - self.at_s) * self.per_minute / 60.0)
        self.at_s = now_s
        if self.left < amount:
            return False
        self.left -= amount
        return True

    def wait_s(self) -> int:
        """Seconds until one is left."""
        return max(1, round((1.0 - self.left) * 60.0 / self.per_minute))


@dataclass(slots=True)
class Limits:
    """Counts in this process's memory; a restart forgets them."""

    settings: PortalSettings
    _requests: dict[str, Bucket] = field(default_factory=dict)
    _failures: dict[str, Bucket] = field(default_factory=dict)
    _bytes: dict[str, int] = field(default_factory=dict)
    _day: int = 0
    _streams: dict[str, int] = field(default_factory=dict)

    def request(self, key: str, *, has_token: bool) -> None:
        """Count a request of a caller.

        Raises
        ------
        ProblemError
            429, if it is one too many, or the day's bytes are used up.
        """
        per_minute = (
            self.settings.portal_requests_per_minute
            if has_token
            else self.settings.portal_requests_per_minute_anonymous
        )
        bucket = _bucket(self._requests, key, per_minute)
        if not bucket.take(time.monotonic()):
            raise _too_many(f"more than {per_minute} requests a minute", bucket.wait_s())
        if self._sent_today(key) > self.settings.portal_daily_mib * _MIB:
            raise _too_many(f"more than {self.settings.portal_daily_mib} MiB a day", 3600)

    def refuse_guesser(self, address: str) -> None:
        """Refuse an address that has given too many wrong tokens.

        Raises
        ------
        ProblemError
            429.
        """
        bucket = self._failures.get(address)
        if bucket is None:
            return
        bucket.take(time.monotonic(), 0.0)
        if bucket.left < 1.0:
            raise _too_many("too many refused tokens from this address", bucket.wait_s())

    def failed(self, address: str) -> None:
        """A token from this address was refused."""
        _bucket(self._failures, address, self.settings.portal_failures_per_minute).take(
            time.monotonic()
        )

    def sent(self, key: str, size_bytes: int) -> None:
        """An answer to a caller."""
        self._bytes[key] = self._sent_today(key) + size_bytes

    def _sent_today(self, key: str) -> int:
        day = int(time.time() // 86_400)
        if day != self._day or len(self._bytes) > _MOST_REMEMBERED:
            self._day = day
            self._bytes.clear()
        return self._bytes.get(key, 0)

    @contextmanager
    def stream(self, key: str) -> Iterator[None]:
        """Hold an event stream open for a caller.

        Raises
        ------
        ProblemError
            429, if the caller has too many; 503, if all callers have.
        """
        if self._streams.get(key, 0) >= self.settings.portal_streams_per_caller:
            raise _too_many(
                f"more than {self.settings.portal_streams_per_caller} streams at once", 10
            )
        if sum(self._streams.values()) >= self.settings.portal_streams:
            raise ProblemError(503, "no more streams; try again", headers={"Retry-After": "10"})
        self._streams[key] = self._streams.get(key, 0) + 1
        try:
            yield
        finally:
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]

    @property
    def streams_open(self) -> int:
        """Streams of all callers."""
        return sum(self._streams.values())


def _bucket(buckets: dict[str, Bucket], key: str, per_minute: float) -> Bucket:
    if key not in buckets:
        if len(buckets) >= _MOST_REMEMBERED:
            buckets.clear()
        buckets[key] = Bucket(per_minute, per_minute, time.monotonic())
    return buckets[key]


def _too_many(detail: str, wait_s: int) -> ProblemError:
    return ProblemError(429, detail, headers={"Retry-After": str(wait_s)})
