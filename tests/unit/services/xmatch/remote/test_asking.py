"""Asking a service that has every kind of trouble, over a real connection."""

import asyncio
import time

import pytest

from services.xmatch.remote import SERVICES
from services.xmatch.remote.asking import Asker, AskLimits, open_client, retry_after_s
from services.xmatch.remote.base import Position, RemoteError
from services.xmatch.remote.pacing import BreakerState, CircuitBreaker, TokenBucket
from shared.testing.sky_services import sky_services

NGC_7814 = [Position("1", 0.8143, 16.1457), Position("2", 100.0, 0.0)]
CASES = [("cds_xmatch", "simbad"), ("simbad", "simbad")]
# Wide enough that a busy machine never turns another trouble into a time-out; whoever tests
# the time-out itself names a short try.
LIMITS = {"budget_s": 60.0, "try_s": 20.0, "first_pause_s": 0.01, "answer_bytes": 1_000_000}
SHORT_TRY_S = 1.0


class Setup:
    def __init__(self, sky, client, service, table, **limits):
        self.outcomes = []
        self.slept = []
        self.sky = sky
        self.service = SERVICES[service]
        self.table = self.service.tables[table]
        self.breaker = CircuitBreaker(3, 30.0, 60.0)
        url = sky.xmatch_url if service == "cds_xmatch" else sky.tap_url
        self.asker = Asker(
            client, url, TokenBucket(1_000, 10), self.breaker, AskLimits(**{**LIMITS, **limits}),
            self.outcomes.append, sleep=self.sleep,
        )  # fmt: skip

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.01))

    async def ask(self):
        request = self.service.request(self.table, NGC_7814, 10.0)
        raw = await self.asker.ask(request)
        return self.service.read(self.table, raw.body)


@pytest.fixture(params=CASES, ids="/".join)
async def setup(request):
    async with sky_services() as sky, open_client() as client:
        yield lambda **limits: Setup(sky, client, *request.param, **limits)


async def test_the_real_protocol_and_back(setup):
    one = setup()
    answer = await one.ask()
    assert sorted(s.source_id for s in answer.sources["1"]) == ["NGC 7814", "SN 2021rhu"]
    assert answer.sources.keys() == {"1"}
    assert {s.redshift for s in answer.sources["1"]} == {0.00351}
    assert one.outcomes == ["answered"]
    assert one.sky.positions == [2]


@pytest.mark.parametrize(
    ("plan", "outcomes"),
    [
        (["500"], ["server_error", "answered"]),
        (["502", "504", "503"], ["server_error", "server_error", "busy"]),
        (["slow"], ["timeout", "answered"]),
        (["cut"], ["cut", "answered"]),
        (["429:2"], ["busy", "answered"]),
    ],
)
async def test_what_may_pass_is_tried_again(setup, plan, outcomes):
    one = setup(try_s=SHORT_TRY_S) if "slow" in plan else setup()
    one.sky.plan = list(plan)
    if "answered" in outcomes:
        one.breaker = one.asker._breaker = CircuitBreaker(3, 0.0, 0.0)
        assert (await one.ask()).sources
    else:
        with pytest.raises(RemoteError, match="breaker_open"):
            await one.ask()
        assert one.breaker.state is BreakerState.OPEN
    assert one.outcomes == outcomes


async def test_retry_after_is_waited_for_and_pauses_grow(setup):
    one = setup()
    one.asker._breaker = CircuitBreaker(9, 0.0, 0.0)
    one.sky.plan = ["429:2", "500", "500"]
    await one.ask()
    assert one.slept[0] == 2.0
    assert 0.01 <= one.slept[1] <= 0.02
    assert 0.02 <= one.slept[2] <= 0.04


async def test_a_retry_after_beyond_the_budget_ends_it_at_once_and_opens_the_breaker(setup):
    one = setup()
    one.sky.plan = ["429:3600"]
    started = time.monotonic()
    with pytest.raises(RemoteError, match="busy"):
        await one.ask()
    assert time.monotonic() - started < 2
    assert one.slept == []
    with pytest.raises(RemoteError, match="breaker_open"):
        await one.ask()
    assert len(one.sky.requests) == 1


async def test_the_budget_holds_for_all_tries_together(setup):
    one = setup(budget_s=1.2, try_s=0.5, tries=10)
    one.asker._breaker = CircuitBreaker(99, 0.0, 0.0)
    one.sky.plan = ["slow"] * 10
    started = time.monotonic()
    with pytest.raises(RemoteError, match=r"timeout|budget_spent"):
        await one.ask()
    assert time.monotonic() - started < 2.5
    assert 2 <= len(one.sky.requests) <= 3


async def test_an_oversized_answer_is_left_while_it_comes(setup):
    one = setup()
    one.sky.plan = ["oversized"]
    with pytest.raises(RemoteError, match="too_large"):
        await one.ask()
    assert one.outcomes == ["too_large"]
    assert one.breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize("trouble", ["malformed", "cut_silently"])
async def test_what_the_connection_cannot_know_the_reader_does(setup, trouble):
    one = setup()
    one.sky.plan = [trouble]
    with pytest.raises(RemoteError, match="malformed"):
        await one.ask()


async def test_a_refused_question_is_not_repeated(setup):
    one = setup()
    one.sky.plan = ["400", "200"]
    with pytest.raises(RemoteError, match=r"refused.*400"):
        await one.ask()
    assert len(one.sky.requests) == 1


async def test_nobody_there():
    async with open_client() as client:
        asker = Asker(
            client, "http://127.0.0.1:1/", TokenBucket(1_000, 10), CircuitBreaker(9, 1.0, 1.0),
            AskLimits(tries=2, first_pause_s=0.01),
        )  # fmt: skip
        service = SERVICES["simbad"]
        with pytest.raises(RemoteError, match="unreachable"):
            await asker.ask(service.request(service.tables["simbad"], NGC_7814, 5.0))


async def test_a_cancelled_probe_does_not_keep_the_breaker_half_open(setup):
    one = setup(try_s=20)
    one.asker._breaker = breaker = CircuitBreaker(1, 0.0, 0.0)
    breaker.failed()
    one.sky.plan = ["slow"]
    asking = asyncio.create_task(one.ask())
    while not one.sky.requests:
        await asyncio.sleep(0.01)
    assert not breaker.allows()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert breaker.allows()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0), ("120", 120.0), (" 3 ", 3.0), ("-3", 0.0), ("soon", 0.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_retry_after_in_both_forms(header, seconds):
    assert retry_after_s(header, now_s=100.0) == seconds
