"""Notices against the archive's alerts: after a restart nothing is missed or told twice."""

from __future__ import annotations

import itertools

from services.mma.correlator import Correlator
from services.mma.look_back import LookBack
from services.mma.notices import read_notice
from shared.errors import UpstreamUnavailableError
from shared.kafka.envelopes import write_envelope
from shared.testing.notices import lvk_json
from shared.testing.placed_alerts import alerts_at

EVENT_TAI = 60324.0 + 37 / 86400
NOW_MS = 1_000_000_000_000
BATCHES = [
    alerts_at([0.0, 180.0], [0.0, 0.0], EVENT_TAI + 2, object_ids=["A", "B"]),
    alerts_at([1.0], [1.0], EVENT_TAI + 3, first_offset=10, object_ids=["C"]),
]


class Archive:
    """In place of the database: envelopes, or nothing while it is away."""

    def __init__(self, batches, *, is_away=False):
        self.batches, self.is_away, self.asked = batches, is_away, []

    async def stream(self, _, query, *, fields):
        self.asked.append(query)
        if self.is_away:
            raise UpstreamUnavailableError("away")
        for batch in self.batches:
            yield {"batch": write_envelope(batch)}

    def close(self):
        pass


def notice(received_ms=NOW_MS, **kwargs):
    return read_notice(lvk_json(**kwargs), received_ms)


async def news_of(worker, look_back):
    """What the agent would tell, in its order."""
    told = worker.settle()
    for association in told:
        worker.take_association(association)
    async for found in look_back.news(NOW_MS):
        for association in found:
            worker.take_association(association)
        told += found
    return told


def look_back_on(worker, archive):
    return LookBack(worker, lambda: archive, ["ztf"], 3_600_000)


async def test_the_same_is_told_wherever_the_alerts_are():
    """In memory, in the archive, or in both: every split gives the same associations."""
    outcomes = set()
    for in_memory, in_archive in itertools.product(
        itertools.chain.from_iterable(itertools.combinations(BATCHES, n) for n in range(3)),
        itertools.chain.from_iterable(itertools.combinations(BATCHES, n) for n in range(3)),
    ):
        if any(b not in in_memory and b not in in_archive for b in BATCHES):
            continue
        worker = Correlator()
        for batch in in_memory:
            worker.correlate(batch)
        worker.take_notice(notice())
        told = await news_of(worker, look_back_on(worker, Archive(in_archive)))
        assert len({a.delivery_id for a in told}) == len(told)
        outcomes.add(tuple(sorted((a.association_id, a.credible_level) for a in told)))
    (only,) = outcomes
    assert len(only) == 3


async def test_a_retracted_event_asks_nothing():
    worker, archive = Correlator(), Archive(BATCHES)
    worker.take_notice(notice())
    worker.take_notice(notice(alert_type="RETRACTION", created="2024-01-15T02:00:00Z"))
    assert await news_of(worker, look_back_on(worker, archive)) == []
    assert archive.asked == []


async def test_old_notices_read_again_at_a_start_ask_nothing():
    worker, archive = Correlator(), Archive(BATCHES)
    worker.take_notice(notice(received_ms=NOW_MS - 3_600_001))
    assert await news_of(worker, look_back_on(worker, archive)) == []
    assert archive.asked == []


async def test_while_the_database_is_away_events_wait():
    worker, archive = Correlator(), Archive(BATCHES, is_away=True)
    look_back = look_back_on(worker, archive)
    worker.take_notice(notice())
    assert await news_of(worker, look_back) == []
    assert look_back.is_behind
    archive.is_away = False
    assert len(await news_of(worker, look_back)) == 3
    assert not look_back.is_behind


async def test_only_the_windows_nights_are_asked_for():
    worker, archive = Correlator(), Archive([])
    worker.take_notice(notice())
    await news_of(worker, look_back_on(worker, archive))
    (query,) = archive.asked
    assert query["survey"] == {"$in": ["ztf"]}
    assert query["night"]["$gte"] <= 60323 - 1
    assert query["night"]["$lte"] >= 60338
