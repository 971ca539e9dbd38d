"""Test notices of ours: they come back as tests, and it is said when they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.mma.correlator import Correlator
from services.mma.notices import read_notice
from services.mma.receivers.injection_watch import InjectionWatch
from services.mma.receivers.injections import injection
from shared.testing.notices import voevent
from shared.testing.placed_alerts import alerts_at

MOMENT = datetime(2024, 1, 15, tzinfo=UTC)


def injected(minutes=0):
    payload = injection(MOMENT + timedelta(minutes=minutes), 150.0, 0.0)
    return read_notice(payload, received_ms=0)


class Said:
    def __init__(self):
        self.seconds, self.late, self.gone = [], 0, 0

    def returned(self, seconds):
        self.seconds.append(seconds)

    def overdue(self, count):
        self.late = count

    def lost(self):
        self.gone += 1


def returned_by(worker):
    news = worker.settle()
    for one in news:
        worker.take_association(one)
    return news


def test_it_comes_back_once_and_as_a_test():
    worker = Correlator()
    worker.take_notice(injected())
    (one,) = returned_by(worker)
    assert (one.role, one.event_role, one.is_simulated) == ("test", "test", True)
    assert one.survey == "injection"
    assert one.credible_level < 0.01
    worker.take_notice(injected())
    assert returned_by(worker) == []


def test_it_is_in_nobodys_list_and_only_the_last_few_are_held():
    worker = Correlator()
    for minutes in range(0, 60, 5):
        worker.take_notice(injected(minutes))
        assert len(returned_by(worker)) == 1
    assert len(worker.events) == 3
    assert worker.event_news() == []
    assert worker.coincidence_news() == []


def test_a_real_alert_at_its_place_is_not_associated():
    worker = Correlator()
    worker.take_notice(injected())
    returned_by(worker)
    batch = alerts_at([150.0], [0.0], 60324.0 + 37 / 86400 + 0.01)
    assert worker.correlate(batch).associations == []


def test_what_only_cites_it_in_its_name_plants_nothing():
    """Our own VOEvent about a test notice, heard again: no echo comes of it."""
    worker = Correlator()
    name = "ivo://org.tocsin/associations#ivo%3A//tocsin/injection%232024"
    worker.take_notice(read_notice(voevent(name, role="test"), 0))
    assert returned_by(worker) == []


def test_latency_and_alarm():
    said = Said()
    watch = InjectionWatch(60.0, said)
    worker = Correlator()
    worker.take_notice(injected())
    (first,) = returned_by(worker)
    watch.sent(first.event_id, 1000.0)
    watch.heard(b"{}", 1000.5)
    watch.heard(first.to_json(), 1001.25)
    watch.look(2000.0)
    assert (said.seconds, said.late, said.gone) == ([1.25], 0, 0)
    # The next does not come back: an alarm, once, until one does.
    worker.take_notice(injected(5))
    (second,) = returned_by(worker)
    watch.sent(second.event_id, 2000.0)
    watch.look(2059.0)
    assert said.late == 0
    watch.look(2061.0)
    watch.look(2070.0)
    assert (said.late, said.gone) == (1, 1)
    watch.heard(second.to_json(), 2100.0)
    watch.look(2101.0)
    assert (said.seconds, said.late, said.gone) == ([1.25, 100.0], 0, 1)
