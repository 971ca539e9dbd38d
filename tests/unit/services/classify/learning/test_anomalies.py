"""Votes: they teach their own user, at once, and nobody else."""

import time

import numpy as np
import pytest

from services.classify.learning.anomalies.desk import Desk
from services.classify.learning.anomalies.forest import SharedForest
from services.classify.learning.anomalies.questions import ask
from services.classify.learning.anomalies.voting import Panel
from shared.schemas.vote import Vote
from shared.testing.batches import made_up_batch

NAMES = tuple(f"f{k}" for k in range(6))


def sky(n=1_500, seed=0):
    """Mostly ordinary; two small groups, each far out in a feature of its own."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 6)).astype(np.float32)
    kind = np.zeros(n, dtype=int)
    kind[:40], kind[40:80], kind[80:140] = 1, 2, 3
    rows[kind == 1, 0] += 9.0
    rows[kind == 2, 1] -= 9.0
    rows[kind == 3, 2] += 25.0  # odd, and nobody's interest
    rows[rng.random(rows.shape) < 0.02] = np.nan
    return rows, kind


@pytest.fixture(scope="module")
def forest():
    return SharedForest(sky()[0], seed=1, trees=60)


@pytest.fixture
def panel(forest):
    made = Panel(forest, NAMES)
    rows, _ = sky()
    made.see([f"o{k}" for k in range(len(rows))], rows)
    return made


def vote(user, k, opinion, at=1):
    return Vote(user=user, object_id=f"o{k}", opinion=opinion, said_ms=at)


def lesson(user, kind):
    likes = [vote(user, k, "anomaly") for k in np.flatnonzero(sky()[1] == kind)[:8]]
    return likes + [vote(user, k, "regular") for k in [*range(80, 90), *range(200, 206)]]


def test_two_users_of_different_interest_have_different_lists(panel):
    _, kind = sky()
    panel.take([*lesson("ann", 1), *lesson("bob", 2)])
    tops = {}
    for user, own in (("ann", 1), ("bob", 2)):
        names = [one.object_id for one in panel.top(user, 20)]
        tops[user] = set(names)
        assert np.mean([kind[int(name[1:])] == own for name in names]) > 0.8
    assert len(tops["ann"] & tops["bob"]) <= 4


def test_a_vote_changes_the_next_scores_within_seconds_and_nobody_elses(panel):
    rows, _ = sky(seed=5)
    panel.take(lesson("bob", 2))
    before = panel.scores(rows)["bob"]
    start = time.monotonic()
    panel.take(lesson("ann", 1))
    scores = panel.scores(rows)
    assert time.monotonic() - start < 5.0
    assert np.array_equal(scores["bob"], before)
    assert not np.allclose(scores["ann"], before)


def test_reasons_name_the_feature_of_the_interest(panel):
    panel.take(lesson("ann", 1))
    first = panel.top("ann", 1)[0]
    assert first.reasons[0][0] == "f0"
    assert first.reasons[0][1] > 0


def test_what_was_judged_is_not_asked_again_unless_taken_back(panel):
    panel.take(lesson("ann", 1))
    judged = {f"o{k}" for k in np.flatnonzero(sky()[1] == 1)[:8]}
    assert not judged & {one.object_id for one in panel.top("ann", 100)}
    panel.take([vote("ann", 0, "unknown", at=2)])
    assert "o0" in {one.object_id for one in panel.top("ann", 100)}


def test_repeated_and_late_votes_change_nothing(panel):
    panel.take(lesson("ann", 1))
    before = panel.weights("ann").copy()
    assert panel.take(lesson("ann", 1)) == []
    assert panel.take([vote("ann", 0, "regular", at=0)]) == []
    assert np.array_equal(panel.weights("ann"), before)


def test_a_panel_made_again_from_its_votes_stands_where_it_stood(panel, forest):
    rows, _ = sky()
    for one in lesson("ann", 1):
        panel.take([one])
    again = Panel(SharedForest(sky()[0], seed=1, trees=60), NAMES)
    again.see([f"o{k}" for k in range(len(rows))], rows)
    again.take(lesson("ann", 1))
    assert np.allclose(again.weights("ann"), panel.weights("ann"), atol=1e-9)


def test_a_vote_counts_as_soon_as_its_object_is_seen(panel):
    rows = sky()[0]
    panel.take([vote("ann", "new", "anomaly", at=1)])
    assert np.array_equal(panel.weights("ann"), panel.weights("nobody"))
    panel.recall(["onew"], rows[:1])
    assert panel.take([]) == ["ann"]
    assert not np.array_equal(panel.weights("ann"), panel.weights("nobody"))


def test_the_pool_forgets_the_longest_unseen(forest):
    small = Panel(forest, NAMES, capacity=3)
    rows, _ = sky()
    small.see(["a", "b", "c"], rows[:3])
    small.see(["a", "d"], rows[3:5])
    assert {one.object_id for one in small.top("x", 9)} == {"c", "a", "d"}


def test_questions_find_more_than_a_static_list(forest):
    rows, kind = sky()
    session = ask(forest, rows, kind == 2, questions=60)
    assert session.found[-1] > session.static[-1]
    assert session.found[-1] > 25
    helped = ask(forest, rows, kind == 2, questions=20, prior=[40, 41, 42])
    assert helped.found[-1] > session.found[19]


class TestDesk:
    def alerts(self, seed):
        return made_up_batch(120, seed=seed, first_offset=120 * seed, points=(8, 40))

    def desk(self, folder):
        return Desk(folder / "reference.npz", reference_alerts=300, capacity=1_000, list_length=10)

    def test_lists_follow_votes_and_a_restart_keeps_the_trees(self, tmp_path):
        desk = self.desk(tmp_path)
        batches = [self.alerts(seed) for seed in range(4)]
        desk.hear(Vote(user="ann", object_id="o0", opinion="anomaly", said_ms=1))
        assert desk.changed_lists(10) == {}
        for batch in batches:
            desk.see(batch)
        names = batches[0].strings("object_id")
        lists = desk.changed_lists(20)
        assert set(lists) == {"ann"}
        desk.published(lists)
        assert desk.changed_lists(30) == {}
        first = lists["ann"]["top"][0]["object_id"]
        desk.hear(Vote(user="ann", object_id=first, opinion="regular", said_ms=2))
        after = desk.changed_lists(40)["ann"]["top"]
        assert first not in {one["object_id"] for one in after}
        assert len(after) == 10
        again = self.desk(tmp_path)
        again.see(batches[0])
        again.hear(Vote(user="bob", object_id=str(names[0]), opinion="regular", said_ms=2))
        assert set(again.changed_lists(50)) == {"bob"}

    def test_killed_and_read_back_a_desk_stands_where_it_stood(self, tmp_path):
        batches = [self.alerts(seed) for seed in range(4)]
        votes = [
            Vote(user="ann", object_id=str(batches[0].strings("object_id")[k]),
                 opinion="anomaly", said_ms=k + 1)
            for k in range(4)
        ]  # fmt: skip
        desk = self.desk(tmp_path)
        for batch in batches:
            desk.see(batch)
        for one in votes:
            desk.hear(one)
        before = desk.changed_lists(10)["ann"]
        assert {one["survey"] for one in before["top"]} == {batches[0].survey}

        again = self.desk(tmp_path)  # Kafka holds the alerts no more: votes count all the same
        for one in votes:
            again.hear(one)
        assert again.changed_lists(10)["ann"]["top"] == []
        for batch in reversed(batches):
            again.recall(batch)
        assert again.changed_lists(20_000)["ann"]["top"] == before["top"]
