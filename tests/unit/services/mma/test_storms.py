"""What a broken or hostile sender can do: memory and time stay bounded, the rest goes on."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest

from services.mma.correlator import Correlator
from services.mma.event_list import MAX_VERSIONS
from services.mma.event_store import EventStore
from services.mma.notices import read_notice
from shared.errors import RejectedRecordError
from shared.testing.notices import lvk_json, multi_order_map, voevent
from shared.testing.placed_alerts import alerts_at

EVENT_TAI = 60324.0 + 37 / 86400


def notice(payload):
    return read_notice(payload, received_ms=0)


BURST = notice(voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_1", params={"TrigID": "77"}))


def copies(of, count, **said):
    for n in range(count):
        yield of.model_copy(
            update={"notice_id": f"{n:032x}", "issued_ms": of.issued_ms + n}
            | {name: make(n) for name, make in said.items()}
        )


def settled(worker):
    news = worker.settle()
    for one in news:
        worker.take_association(one)
    return news


def test_500_versions_with_100_candidates_cost_seconds():
    worker = Correlator()
    worker.correlate(alerts_at(np.linspace(150, 150.9, 100), np.full(100, 20.0), EVENT_TAI + 2))
    began = time.process_time()
    for number, one in enumerate(copies(BURST, 500)):
        worker.take_notice(one)
        if number % 50 == 0:
            settled(worker)
    settled(worker)
    worker.coincidence_news()
    (line,) = worker.event_news()
    assert line.objects == 100
    assert time.process_time() - began < 30
    assert (line.version, len(line.versions)) == (500, MAX_VERSIONS)
    assert len(line.to_json()) < 64 * 1024
    with pytest.raises(RejectedRecordError, match="too_many_notices"):
        worker.take_notice(next(copies(BURST, 1, notice_id=lambda _: "f" * 32)))


def test_a_storm_of_retractions_is_bounded_and_touches_nobody_else():
    store = EventStore(max_events=50)
    store.add(BURST)
    gone = notice(lvk_json(alert_type="RETRACTION"))
    earlier = gone.event_mjd_tai - 400
    for one in copies(gone, 500, event_id=lambda n: f"S2301{n % 31:02d}{'abcdefghij'[n % 10]}x{n}",
                      event_mjd_tai=lambda n: earlier + n / 10):  # fmt: skip
        store.add(one)
    assert len(store) == 50
    assert [e.notice.event_id for e in store.snapshot().events] == ["Swift_77"]


def test_absurd_times_neither_match_nor_displace():
    store = EventStore(max_events=3)
    store.add(BURST)
    for one in copies(
        BURST, 200, event_id=lambda n: f"Swift_{n + 1000}",
        event_mjd_tai=lambda n: 2_900_000.0 + n if n % 2 else -600_000.0 + n,
        # It came before the burst did, whatever it says of itself.
        received_ms=lambda n: BURST.issued_ms - 1_000_000 + n,
    ):  # fmt: skip
        store.add(one)
    assert len(store) == 3
    assert store.active(("observation", "Swift_77")) is not None
    worker = Correlator()
    worker.take_notice(BURST.model_copy(update={"event_mjd_tai": 2_900_000.0}))
    assert worker.correlate(alerts_at([150.0], [20.0], EVENT_TAI + 1)).associations == []


def test_one_id_for_everything_is_cut():
    store = EventStore()
    for one in copies(BURST, 300, event_mjd_tai=lambda n: 50_000.0 + 7 * n, ivorn=lambda _: None):
        store.add(one)
    assert len(store) == 100
    names = [e.notice.event_id for e in store.snapshot().events]
    assert len(set(names)) == 100
    assert names[0] == "Swift_77"


def test_one_notice_that_joins_many():
    """A list of names may join what is there; names that it would invent change nothing."""
    store = EventStore()
    for one in copies(BURST, 30, event_id=lambda n: f"Swift_{n}", ivorn=lambda _: None):
        store.add(one)
    assert len(store) == 30
    joining = BURST.model_copy(
        update={"notice_id": "e" * 32, "event_id": "Swift_0", "ivorn": None,
                "aliases": tuple(f"Swift_{n}" for n in range(1000))}
    )  # fmt: skip
    store.add(joining)
    assert len(store) == 1
    assert store.version(("observation", "Swift_0")) == 31


@pytest.mark.long
def test_300_active_maps_stay_within_memory():
    """Real maps have some 20,000 cells: 300 of them are held in a few hundred MB."""
    cells = 12 * 4**5
    density = np.random.default_rng(1).random(cells)
    density /= density.sum() * 4 * np.pi / cells
    wave = notice(lvk_json(sky_map=multi_order_map(4 * 4**5 + np.arange(cells), density)))
    store = EventStore(max_maps=300)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for one in copies(wave, 320, event_id=lambda n: f"S24{n:04d}a",
                      event_mjd_tai=lambda n: wave.event_mjd_tai + n / 1000):  # fmt: skip
        store.add(one)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert len(store) == 300
    assert grown_mib < 600
    began = time.process_time()
    assert len(store.snapshot().events) == 300
    assert time.process_time() - began < 5
