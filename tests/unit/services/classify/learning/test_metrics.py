"""What Prometheus is told of the nightly loop, of labels and votes."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from services.classify.learning.metrics import LearningMetrics
from services.classify.learning.nightly.books import Books
from services.classify.learning.nightly.measures import LoopCollector, note_targets
from services.classify.learning.nightly.run import run_night
from services.classify.verbs.learn.rollback import main as rollback
from shared.kafka.records import Record
from shared.schemas.label import Label
from shared.schemas.target import Target
from shared.schemas.vote import Vote
from tests.unit.services.classify.learning.made_up_nights import FIRST, MadeUp

NIGHTS = 9


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """Nine nights of the real loop; its limits lowered, as the nights are small."""
    folder = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("services.classify.learning.nightly.steps.LEAST_JUDGED", 10)
        patched.setattr("services.classify.learning.nightly.gate.LATENCY_US", 1e9)
        for night in range(FIRST, FIRST + NIGHTS):
            run_night(Books(folder), MadeUp(), night, seed=1)
    return folder


def registry_of(folder):
    registry = CollectorRegistry()
    registry.register(LoopCollector(folder, "real"))
    return registry


def value(registry, name, **labels):
    return registry.get_sample_value(f"tocsin_learning_{name}", labels)


def test_nothing_is_told_before_the_first_night(tmp_path):
    assert list(registry_of(tmp_path / "absent").collect()) == []


def test_the_numbers_are_those_of_the_loops_files(loop):
    registry, books = registry_of(loop), Books(loop)
    last = FIRST + NIGHTS - 1
    assert value(registry, "nights", loop="real") == NIGHTS
    assert value(registry, "night_end_seconds", loop="real") == MadeUp().end_ms(last) / 1000
    assert value(registry, "alerts", loop="real") == 20
    scores, drift = books.read("scores", last), books.read("drift", last)
    assert value(registry, "judged", loop="real") == scores["judged"] > 10
    for role in scores.keys() & {"champion", "challenger", "refitted"}:
        for measure in ("accuracy", "macro_f1", "log_loss", "ece"):
            told = value(registry, "score", loop="real", role=role, measure=measure)
            assert told == scores[role][measure]
    assert value(registry, "drift_psi", loop="real") == drift["greatest_psi"]
    told = value(registry, "drift_features", loop="real")
    assert told == len(drift["features_in_alarm"])
    assert value(registry, "drift_error_alarms", loop="real") == drift["error_alarms"]


def test_decisions_add_up_to_the_nights(loop):
    registry = registry_of(loop)
    told = {
        one: value(registry, "gate_decisions", loop="real", decision=one)
        for one in ("promoted", "kept", "taken_back")
    }
    assert told["promoted"] == len(Books(loop).shelf.promoted()) >= 1
    assert told["promoted"] + told["kept"] == NIGHTS
    assert told["taken_back"] == 0


def test_the_age_of_a_model_counts_from_when_it_was_taught(loop):
    registry, books = registry_of(loop), Books(loop)
    _, card = books.model(books.champion)
    age = value(registry, "model_age_nights", loop="real", role="champion")
    assert age == FIRST + NIGHTS - 1 - card["night"] > 0
    assert value(registry, "model_age_nights", loop="real", role="challenger") == 0


def test_a_new_entry_is_seen_by_the_same_collector(tmp_path):
    registry = registry_of(tmp_path)
    assert value(registry, "nights", loop="real") is None
    for done in (1, 2):
        run_night(Books(tmp_path), MadeUp(), FIRST + done, seed=1)
        assert value(registry, "nights", loop="real") == done


def test_a_promotion_taken_back_is_told(loop, capsys):
    books = Books(loop)
    before, promoted = (loop / "journal.jsonl").read_bytes(), books.shelf.promoted()
    books.shelf.promote(books.shelf.all()[0].name)
    assert rollback(["--state", str(loop)]) == 0
    capsys.readouterr()
    told = value(registry_of(loop), "gate_decisions", loop="real", decision="taken_back")
    (loop / "journal.jsonl").write_bytes(before)
    assert books.shelf.promoted() == promoted
    assert told == 1


def test_files_that_cannot_be_read_cost_no_scrape(tmp_path):
    registry = registry_of(tmp_path)
    run_night(Books(tmp_path), MadeUp(), FIRST, seed=1)
    assert value(registry, "nights", loop="real") == 1
    (tmp_path / "journal.jsonl").write_text('{"key": "1/night"}\n')
    assert value(registry, "nights", loop="real") == 1  # what was known before


def a_target(facility, made_ms):
    return Target(
        list_id="l", night=FIRST, facility=facility, programme="p", rank=1, survey=None,
        object_id="o", ra_deg=1.0, dec_deg=1.0, mag_now=19.0, mag_predicted=19.0, band="r",
        exposure_s=60.0, visit_mjd_utc=60_000.1, airmass=1.1, moon_separation_deg=90.0,
        predicted_class="SN Ia", predicted_probability=0.5, reason="", score=1.0, score_parts={},
        is_random=False, propensity=1.0, stratum="s", claimed_by=None, model_id="m",
        made_ms=made_ms, expires_ms=made_ms + 1, is_simulated=False,
    )  # fmt: skip


def test_the_bias_of_lists_of_targets(tmp_path):
    targets = [a_target("keck", 1000), a_target("keck", 1000), a_target("ntt", 2000)]
    note_targets(tmp_path, targets, {"random_share": 0.2, "js_class": float("nan")})
    registry = registry_of(tmp_path)
    assert value(registry, "targets_made_seconds", loop="real") == 2.0
    assert value(registry, "targets_places", loop="real", facility="keck") == 2
    assert value(registry, "targets_bias", loop="real", measure="random_share") == 0.2
    assert value(registry, "targets_bias", loop="real", measure="js_class") is None


def test_labels_and_votes_are_counted_once_however_often_they_are_read():
    registry = CollectorRegistry()
    metrics = LearningMetrics(registry, lambda: 3, lambda: 50)
    labels = [
        Label(object_id="a", class_name="SN Ia", source=source, author="x", said_ms=1, taken_ms=at)
        for at, source in ((5000, "tns"), (9000, "spectrum"), (7000, "tns"))
    ]
    vote = Vote(user="u", object_id="a", opinion="anomaly", said_ms=1)
    for _ in range(2):  # a tail that lost Kafka begins again
        for offset, label in enumerate(labels):
            metrics.label(Record("labels", 0, offset, 0, None, b""), label)
        metrics.vote(Record("votes", 0, 0, 0, None, b""), vote)
        metrics.left_out(Record("votes", 0, 1, 0, None, b""))
    assert value(registry, "labels", source="tns") == 2
    assert value(registry, "labels", source="spectrum") == 1
    assert value(registry, "newest_label_seconds") == 9.0
    assert value(registry, "votes", opinion="anomaly") == 1
    assert value(registry, "left_out", topic="votes") == 1
    assert value(registry, "panel", what="users") == 3
    assert value(registry, "panel", what="objects") == 50
