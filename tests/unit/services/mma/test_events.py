from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mma.event_store import EventStore
from services.mma.notices import read_notice
from shared.errors import RejectedRecordError
from shared.testing.notices import lvk_json, voevent

KEY = ("observation", "S240115a")
FERMI = "ivo://nasa.gsfc.gcn/Fermi#GBM_"


def notice(payload):
    return read_notice(payload, received_ms=0)


def lvk(alert_type, minute):
    return notice(lvk_json(alert_type=alert_type, created=f"2024-01-15T00:{minute:02d}:00Z"))


def gbm(stream, radius, minute, *, role="observation"):
    return notice(
        voevent(
            f"{FERMI}{stream}_{minute}",
            role=role,
            issued=f"2024-01-15T00:{minute:02d}:00",
            place=(150.0, 20.0, radius),
            params={"TrigID": "1234"},
        )
    )


def stored(*notices, **bounds):
    store = EventStore(**bounds)
    for one in notices:
        store.add(one)
    return store


def test_update_supersedes():
    first, second = lvk("PRELIMINARY", 5), lvk("INITIAL", 30)
    store = EventStore()
    assert store.add(first) == [KEY]
    assert store.add(second) == [KEY]
    active = store.active(KEY)
    assert (active.notice.notice_id, active.version) == (second.notice_id, 2)


def test_an_older_notice_that_comes_late_changes_nothing():
    store = stored(lvk("INITIAL", 30))
    assert store.add(lvk("PRELIMINARY", 5)) == []
    assert store.active(KEY).notice.alert_kind == "initial"


def test_duplicates_are_harmless():
    store = stored(lvk("INITIAL", 30))
    assert store.add(lvk("INITIAL", 30)) == []
    assert store.version(KEY) == 1


def test_a_storm_of_notices_of_one_event_is_refused(monkeypatch):
    monkeypatch.setattr("services.mma.history.MAX_NOTICES_PER_EVENT", 3)
    store = stored(*(lvk("PRELIMINARY", minute) for minute in range(3)))
    with pytest.raises(RejectedRecordError, match="too_many_notices"):
        store.add(lvk("PRELIMINARY", 30))
    assert store.add(lvk("PRELIMINARY", 1)) == []
    assert store.version(KEY) == 3
    store.add(lvk("RETRACTION", 31))
    assert store.active(KEY) is None
    with pytest.raises(RejectedRecordError, match="too_many_notices"):
        store.add(lvk("RETRACTION", 32))


def test_retraction_withdraws_and_is_final_also_when_first():
    store = EventStore()
    assert store.add(lvk("RETRACTION", 40)) == []  # nothing was active
    assert store.add(lvk("INITIAL", 30)) == []
    assert store.active(KEY) is None
    assert store.snapshot().events == ()
    later = stored(lvk("INITIAL", 30))
    assert later.add(lvk("RETRACTION", 40)) == [KEY]
    assert later.active(KEY) is None


def test_precision_outranks_time():
    store = stored(gbm("Gnd_Pos", 3.0, 10), gbm("Flt_Pos", 9.0, 20))
    (event,) = store.snapshot().events
    assert event.notice.localization.radius_deg == 3.0


def test_a_notice_without_a_place_leaves_the_place():
    store = stored(gbm("Flt_Pos", 9.0, 1), gbm("Alert", 0.0, 2))
    (event,) = store.snapshot().events
    assert (event.notice.localization.radius_deg, event.version) == (9.0, 2)


def test_a_test_never_touches_the_real_event():
    store = stored(gbm("Flt_Pos", 9.0, 1), gbm("Fin_Pos", 1.0, 2, role="test"))
    assert len(store) == 2
    assert store.active(("observation", "Fermi_GBM_1234")).notice.localization.radius_deg == 9.0
    assert store.snapshot().is_real.tolist() == [True, False]


def test_utility_packets_are_no_events():
    assert EventStore().add(gbm("Flt_Pos", 9.0, 1, role="utility")) == []


def test_payloads_do_not_stay_in_memory():
    store = stored(lvk("INITIAL", 30))
    assert store.active(KEY).notice.payload == b""
    assert len(store.active(KEY).region.first) == 12


def test_bounds():
    many = [notice(voevent(f"ivo://e/s#{n}", issued=f"2024-01-15T00:{n:02d}:00")) for n in range(5)]
    store = stored(*many, max_events=3)
    held = [event.notice.event_id for event in store.snapshot().events]
    assert held == [f"ivo://e/s#{n}" for n in (2, 3, 4)]
    maps = [notice(lvk_json(f"S240115{letter}")) for letter in "abc"]
    assert len(stored(*maps, max_maps=2)) == 2


def test_a_map_that_cannot_be_compiled_leaves_no_trace():
    store = EventStore()
    broken = lvk("INITIAL", 30).model_copy(update={"payload": lvk_json(alert_type="RETRACTION")})
    with pytest.raises(RejectedRecordError):
        store.add(broken)
    assert len(store) == 0


SEQUENCE = [
    lvk("PRELIMINARY", 5),
    lvk("PRELIMINARY", 10),
    lvk("INITIAL", 30),
    gbm("Flt_Pos", 9.0, 1),
    gbm("Gnd_Pos", 4.0, 2),
    gbm("Alert", 0.0, 3),
]


@settings(max_examples=60, deadline=None)
@given(st.permutations([*range(len(SEQUENCE)), 0, 3]), st.booleans())
def test_order_and_repeats_do_not_matter(order, is_retracted):
    """The store depends on the set of notices only."""
    notices = [*SEQUENCE, lvk("RETRACTION", 50)] if is_retracted else SEQUENCE
    reference = stored(*notices)
    shuffled = [SEQUENCE[i] for i in order]
    if is_retracted:
        shuffled.insert(order[0], notices[-1])
    store = stored(*shuffled)
    expected, found = reference.snapshot(), store.snapshot()
    assert [e.notice for e in found.events] == [e.notice for e in expected.events]
    assert [e.version for e in found.events] == [e.version for e in expected.events]
    assert np.array_equal(found.window_start, expected.window_start)
    assert np.array_equal(found.cap_cosines, expected.cap_cosines)


def test_every_order_of_three_versions_ends_alike():
    versions = [lvk("PRELIMINARY", 5), lvk("UPDATE", 30), lvk("RETRACTION", 20)]
    for order in itertools.permutations(versions):
        # Issued after the retraction, the update stands.
        assert stored(*order).active(KEY).notice.alert_kind == "update"


def test_a_region_without_a_cap_leaves_no_trace(monkeypatch):
    """It would fail with every batch of alerts, and make a dead letter of each."""

    def failing(self, level):
        raise ValueError("f(a) and f(b) must have different signs")

    good = gbm("Fermi#GBM_Fin_Pos", 3.0, 1)
    monkeypatch.setattr("services.mma.skymaps.fisher.FisherMixture.cap", failing)
    store = EventStore()
    with pytest.raises(RejectedRecordError, match="bad_position"):
        store.add(good)
    assert len(store) == 0
    assert store.snapshot().events == ()
