from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest

from services.mma.candidates import Candidates, RecentAlerts, first_detection_mjd_tai
from services.mma.correlate import correlate
from services.mma.correlator import Correlator
from services.mma.event_store import EventStore
from services.mma.notices import read_notice
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.schemas.alert import CORRELATED
from shared.schemas.association import Association
from shared.testing.batches import made_up_batch
from shared.testing.notices import base_cells_map, lvk_json, voevent
from shared.testing.placed_alerts import alerts_at

EVENT_TAI = 60324.0 + 37 / 86400  # 2024-01-15 00:00 UTC


def notice(payload):
    return read_notice(payload, received_ms=0)


BURST = notice(voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_1", params={"TrigID": "77"}))
GW = notice(lvk_json())


def snapshot_of(*notices):
    store = EventStore()
    for one in notices:
        store.add(one)
    return store.snapshot()


def associations(batch, *notices):
    found = correlate(batch, snapshot_of(*notices), 0.95)
    return found.batch.column("associations").to_pylist()


def test_inside_outside_and_the_numbers():
    batch = alerts_at([150.0, 150.0, 150.0], [20.5, 21.0, 22.0], EVENT_TAI + 2.0)
    found = associations(batch, BURST)
    assert [len(f) for f in found] == [1, 1, 0]
    (near,), (edge,) = found[0], found[1]
    # 90 % radius 1 deg: half of it holds 1 - 0.1 ** 0.25, all of it 0.9.
    assert near["credible_level"] == pytest.approx(0.4377, abs=1e-3)
    assert edge["credible_level"] == pytest.approx(0.9, abs=1e-3)
    assert near["separation_deg"] == pytest.approx(0.5, abs=1e-6)
    assert near["time_offset_days"] == pytest.approx(2.0, abs=1e-6)
    assert (near["event_id"], near["notice_type"], near["event_version"]) == (
        "Swift_77",
        "swift",
        1,
    )
    assert near["role"] == "observation"


def test_sky_map_gives_no_separation():
    found = associations(alerts_at([0.0, 90.0], [0.0, 0.0], EVENT_TAI + 1), GW)
    assert found[0][0]["credible_level"] == pytest.approx(0.8)
    assert found[0][0]["separation_deg"] is None
    # A cell of the rest: its level is within 0.95 only for some, but never below 0.8.
    assert all(a["credible_level"] > 0.8 for a in found[1])


@pytest.mark.parametrize(
    ("offset_days", "is_inside"),
    [(-1.01, False), (-0.99, True), (0.0, True), (13.99, True), (14.01, False)],
)
def test_window_of_a_merger(offset_days, is_inside):
    found = associations(alerts_at([0.0], [0.0], EVENT_TAI + offset_days), GW)
    assert bool(found[0]) == is_inside


def test_an_object_active_long_before_is_no_counterpart():
    times = [[EVENT_TAI - 20, EVENT_TAI + 2]]
    old = alerts_at([0.0], [0.0], EVENT_TAI + 2, lc_mjd_tai=times, lc_kind=[[0, 0]])
    assert associations(old, GW) == [[]]
    # A forced measurement or an upper limit before the event is no detection.
    for kind in (1, 2):
        batch = alerts_at([0.0], [0.0], EVENT_TAI + 2, lc_mjd_tai=times, lc_kind=[[kind, 0]])
        assert len(associations(batch, GW)[0]) == 1


def test_first_detection_of_ragged_curves():
    times = [[1.0, 5.0], [], [2.0, 3.0, 9.0]]
    kinds = [[2, 0], [], [1, 0, 0]]
    batch = alerts_at([1, 2, 3], [0, 0, 0], 9.0, lc_mjd_tai=times, lc_kind=kinds)
    assert first_detection_mjd_tai(batch).tolist() == [5.0, 9.0, 3.0]
    assert first_detection_mjd_tai(batch.slice(1, 2)).tolist() == [9.0, 3.0]


def test_solar_system_bodies_match_nothing():
    assert associations(alerts_at([0.0], [0.0], EVENT_TAI, is_solar_system=True), GW) == [[]]


@pytest.mark.parametrize(
    ("superevent", "is_simulated", "role"),
    [
        ("S240115a", False, "observation"),
        ("S240115a", True, "test"),
        ("MS240115a", False, None),
        ("MS240115a", True, "test"),
    ],
)
def test_no_product_of_an_observation_from_what_is_not_real(superevent, is_simulated, role):
    batch = alerts_at([0.0], [0.0], EVENT_TAI, is_simulated=is_simulated)
    found = correlate(batch, snapshot_of(notice(lvk_json(superevent))), 0.95)
    assert [a.role for a in found.associations] == ([] if role is None else [role])
    assert [a.is_simulated for a in found.associations] == [is_simulated] * len(found.associations)


def test_batch_without_events_gets_empty_lists_and_keeps_its_columns():
    batch = made_up_batch(7)
    found = correlate(batch, snapshot_of(), 0.95)
    assert found.batch.column("associations").to_pylist() == [[]] * 7
    assert found.batch.record_batch.schema.field("associations").type == CORRELATED[0].type
    assert found.batch.column("ra_deg").equals(batch.column("ra_deg"))
    assert len(read_envelope(write_envelope(found.batch))) == 7


def test_two_events_best_level_first():
    second = notice(
        voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_2", place=(150, 20.5, 1), params={"TrigID": "78"})
    )
    found = associations(alerts_at([150.0], [20.5], EVENT_TAI + 1), BURST, second, GW)
    assert [a["event_id"] for a in found[0]][:2] == ["Swift_78", "Swift_77"]


def test_the_record_says_all_that_the_alert_does():
    batch = alerts_at([150.0], [20.5], EVENT_TAI + 2)
    (record,) = correlate(batch, snapshot_of(BURST), 0.95).associations
    row = batch.record_batch.to_pylist()[0]
    for name in ("alert_id", "object_id", "survey", "ra_deg", "dec_deg", "mjd_tai", "band",
                 "flux_njy", "flux_err_njy", "origin_topic", "origin_offset"):  # fmt: skip
        assert getattr(record, name) == row[name]
    assert record.searched_area_deg2 == pytest.approx(np.pi * 0.25, rel=1e-3)
    assert record.notice_ivorn == BURST.ivorn
    assert Association.from_json(record.to_json()) == record


def test_order_of_alerts_and_notices_does_not_matter():
    """Whichever comes first, the same pairs end up told."""
    batches = [
        alerts_at([0.0, 90.0, 150.0], [0.0, 0.0, 20.5], EVENT_TAI + 2),
        alerts_at([150.0, 1.0], [20.1, 1.0], EVENT_TAI + 3, first_offset=10),
    ]
    steps = [*(("alerts", b) for b in batches), ("notice", GW), ("notice", BURST)]
    outcomes = set()
    for order in itertools.permutations(steps):
        worker = Correlator()
        told = []
        for kind, what in order:
            if kind == "alerts":
                news = worker.correlate(what).associations
            else:
                worker.take_notice(what)
                news = worker.settle()
            for association in news:
                worker.take_association(association)
            told += news
        assert all(a.state == "new" for a in told)
        outcomes.add(tuple(sorted((a.association_id, round(a.credible_level, 9)) for a in told)))
    (only,) = outcomes
    assert len(only) > 3


def test_life_of_an_association():
    worker = Correlator()
    worker.correlate(alerts_at([0.0], [0.0], EVENT_TAI + 2))
    worker.take_notice(GW)
    (new,) = worker.settle()
    assert (new.state, new.event_version) == ("new", 1)
    worker.take_association(new)
    assert worker.settle() == []

    # The same map sent again is no news.
    worker.take_notice(notice(lvk_json(created="2024-01-15T00:06:00Z")))
    assert worker.settle() == []

    sharper = lvk_json(created="2024-01-15T00:30:00Z", sky_map=base_cells_map(0.9))
    worker.take_notice(notice(sharper))
    (updated,) = worker.settle()
    assert (updated.state, updated.event_version) == ("updated", 3)
    assert updated.credible_level == pytest.approx(0.9)
    worker.take_association(updated)

    elsewhere = lvk_json(created="2024-01-15T00:40:00Z", sky_map=base_cells_map(0.0))
    worker.take_notice(notice(elsewhere))
    (withdrawn,) = worker.settle()
    assert withdrawn.state == "withdrawn"
    assert "outside" in withdrawn.reason
    worker.take_association(withdrawn)

    back = lvk_json(created="2024-01-15T00:50:00Z", sky_map=base_cells_map(0.9))
    worker.take_notice(notice(back))
    (again,) = worker.settle()
    assert again.state == "new"
    worker.take_association(again)

    worker.take_notice(notice(lvk_json(alert_type="RETRACTION", created="2024-01-15T02:00:00Z")))
    (gone,) = worker.settle()
    assert (gone.state, gone.reason) == ("withdrawn", "the event was retracted")
    ids = [a.delivery_id for a in (new, updated, withdrawn, again, gone)]
    assert len(set(ids)) == 5


def test_a_restart_tells_what_a_crash_left_untold():
    before = Correlator()
    before.take_notice(GW)
    told = list(before.correlate(alerts_at([0.0], [0.0], EVENT_TAI + 2)).associations)
    retraction = notice(lvk_json(alert_type="RETRACTION", created="2024-01-15T02:00:00Z"))
    # Crash here: the retraction is on its topic, the withdrawal was never sent.
    after = Correlator()
    for association in told:
        after.take_association(association)
    after.take_notice(GW)
    after.take_notice(retraction)
    assert [a.state for a in after.settle()] == ["withdrawn"]


def test_a_redelivered_envelope_tells_nothing_twice():
    worker = Correlator()
    worker.take_notice(GW)
    batch = alerts_at([0.0], [0.0], EVENT_TAI + 2)
    (told,) = worker.correlate(batch).associations
    # Not acknowledged: it is told again, in the same words.
    assert worker.correlate(batch).associations == [told]
    worker.take_association(told)
    assert worker.correlate(batch).associations == []
    assert len(worker.correlate(batch).batch.column("associations")[0]) == 1


def test_recent_alerts_are_bounded():
    recent = RecentAlerts(1000)
    for number in range(300):
        recent.add(Candidates.of_alerts(made_up_batch(10, seed=number, first_offset=10 * number)))
    rows = pa.Table.from_batches([block.record_batch for block in recent.blocks()])
    assert len(recent) == rows.num_rows
    assert 1000 <= len(recent) < 1000 + 64 * 10 * 2
    assert rows.column("origin_offset")[-1].as_py() == 2999
