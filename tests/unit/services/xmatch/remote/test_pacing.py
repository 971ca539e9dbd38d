"""Token bucket and breaker, by a clock of the test's own."""

import pytest

from services.xmatch.remote.pacing import BreakerState, CircuitBreaker, TokenBucket


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


async def test_the_bucket_gives_its_burst_at_once_and_then_its_rate(clock):
    bucket = TokenBucket(0.5, 3, clock, clock.sleep)
    times = []
    for _ in range(6):
        assert await bucket.take(60)
        times.append(clock.now - 100)
    assert times == [0, 0, 0, 2, 4, 6]


async def test_the_bucket_says_at_once_that_no_token_comes_in_time(clock):
    bucket = TokenBucket(0.1, 1, clock, clock.sleep)
    assert await bucket.take(1)
    assert not await bucket.take(9.9)
    assert clock.now == 100
    assert await bucket.take(10.1)  # who was refused has taken nothing


async def test_an_idle_bucket_does_not_grow_beyond_its_burst(clock):
    bucket = TokenBucket(1.0, 2, clock, clock.sleep)
    clock.now += 1_000
    for _ in range(4):
        await bucket.take(60)
    assert clock.now == pytest.approx(1_102)


def test_the_breaker_opens_after_failures_in_a_row_and_only_then(clock):
    breaker = CircuitBreaker(3, 10.0, 60.0, clock)
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert breaker.state is BreakerState.OPEN
    assert not breaker.allows()


def test_after_its_pause_one_request_may_try_and_its_end_decides(clock):
    breaker = CircuitBreaker(1, 10.0, 25.0, clock)
    breaker.failed()
    clock.now += 10
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.allows()
    assert not breaker.allows()
    breaker.failed()
    assert breaker.wait_s() == 20
    clock.now += 20
    assert breaker.allows()
    breaker.failed()
    assert breaker.wait_s() == 25  # not 40
    clock.now += 25
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    breaker.failed()
    assert breaker.wait_s() == 10


def test_a_probe_that_was_abandoned_leaves_room_for_another(clock):
    breaker = CircuitBreaker(1, 10.0, 60.0, clock)
    breaker.failed()
    clock.now += 10
    assert breaker.allows()
    breaker.abandoned()
    assert breaker.allows()


def test_a_service_that_asks_for_peace_gets_it_at_the_first_failure(clock):
    breaker = CircuitBreaker(5, 10.0, 60.0, clock)
    breaker.failed(not_before_s=42.0)
    assert not breaker.allows()
    assert breaker.wait_s() == 42
