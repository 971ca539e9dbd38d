"""Which events an object may belong to, in the order they are told."""

from __future__ import annotations

from shared.archive.associations import distinct_associations


def told(event_id, alert_id="a", state="new", role="observation", **more):
    return {
        "event_id": event_id, "alert_id": alert_id, "state": state, "event_role": role,
        "credible_level": 0.5, **more,
    }  # fmt: skip


def test_what_stands_comes_before_what_was_withdrawn_and_real_events_before_tests():
    records = [
        told("grb"),
        told("drill", role="test"),
        told("gone"),
        told("drill2", role="test"),
        told("gone", state="withdrawn"),
        told("drill2", role="test", state="withdrawn"),
    ]
    found = [(one["event_id"], one["state"]) for one in distinct_associations(records)]
    assert found == [
        ("grb", "new"), ("drill", "new"), ("gone", "withdrawn"), ("drill2", "withdrawn"),
    ]  # fmt: skip


def test_an_event_stands_while_one_of_the_alerts_does():
    records = [told("grb", "a"), told("grb", "b"), told("grb", "b", state="withdrawn")]
    (one,) = distinct_associations(records)
    assert (one["alert_id"], one["state"]) == ("a", "new")


def test_the_best_alert_speaks_for_an_event_and_better_events_come_first():
    records = [
        told("weak", "a", ln_bayes=1.0),
        told("strong", "a", ln_bayes=2.0),
        told("strong", "b", ln_bayes=5.0),
        told("strong", "c", ln_bayes=-1.0),
        told("unweighed", "a", credible_level=0.1),
    ]
    found = [(one["event_id"], one["alert_id"]) for one in distinct_associations(records)]
    assert found == [("strong", "b"), ("weak", "a"), ("unweighed", "a")]


def test_the_newest_statement_about_an_alert_counts():
    records = [told("grb", ln_bayes=9.0), told("grb", state="updated", ln_bayes=1.0)]
    (one,) = distinct_associations(records)
    assert (one["state"], one["ln_bayes"]) == ("updated", 1.0)


def test_one_name_of_a_test_and_of_an_event_is_two():
    records = [told("S1"), told("S1", role="test", state="withdrawn")]
    assert [one["event_role"] for one in distinct_associations(records)] == ["observation", "test"]
