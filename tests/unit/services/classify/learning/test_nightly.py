"""The nightly loop: answers are frozen, models promoted by rule, and a kill changes nothing."""

import json
import os
import shutil
import signal
from importlib import import_module

import pytest

from services.classify.learning.nightly.books import Books, put
from services.classify.learning.nightly.made_up import FIRST_MJD, made_up_nights
from services.classify.learning.nightly.run import STEPS, run_night
from services.classify.learning.nightly.steps import ask
from services.classify.model import arrays_from_bytes, arrays_to_bytes
from services.classify.verbs.learn.rollback import main as rollback
from tests.unit.services.classify.learning.made_up_nights import FIRST, NIGHTS, MadeUp, play_nights


def play(folder, nights=NIGHTS, kill_night=0, kill_step="none"):
    """Exit status of a forked process that plays the nights; minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            play_nights(folder, nights, kill_night, kill_step)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def state(folder):
    """Everything that is to be the same, killed or not."""
    books = Books(folder)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("killed"))
    return {
        "files": {str(p.relative_to(folder)): p.read_bytes() for p in files},
        "journal": books.journal(),
        "promoted": books.shelf.promoted(),
    }


@pytest.fixture(scope="module")
def eve(tmp_path_factory):
    """All nights but the last."""
    folder = tmp_path_factory.mktemp("eve")
    assert play(folder, NIGHTS - 1) == 0
    # What is loaded here once is loaded in every process that is forked from now on.
    import_module("river.drift")
    books = Books(folder)
    trees = books.model(books.progress()["answering_refit"])[0]
    ask(trees, books.frozen(FIRST).rows, len(MadeUp.classes))
    return folder


@pytest.fixture(scope="module")
def straight(eve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("straight")
    shutil.copytree(eve, folder, dirs_exist_ok=True)
    assert play(folder) == 0
    return folder


def test_it_learns_and_promotes(straight):
    books = Books(straight)
    nights = [one for one in books.journal() if one["key"].endswith("/night")]
    assert [one["night"] for one in nights] == list(range(FIRST, FIRST + NIGHTS))
    assert books.champion is not None
    assert nights[0]["objections"]
    final = books.read("scores", FIRST + NIGHTS - 1)
    assert final["challenger"]["accuracy"] > 0.6
    assert any(one.get("promoted") == books.champion for one in books.journal())
    _, card = books.model(books.champion)
    assert card["classes"] == ["a", "b", "c"]


def test_the_weekly_refit_stands_at_the_same_gate(straight):
    books = Books(straight)
    nights = {one["night"]: one for one in books.journal() if one["key"].endswith("/night")}
    refits = {night: one["refitted"] for night, one in nights.items() if one["refitted"]}
    assert list(refits) == [FIRST + 7, FIRST + 11]
    assert nights[FIRST + 6]["refit_objections"] == ["there is no such model yet"]
    assert nights[FIRST + 8]["answering_refit"] == refits[FIRST + 7]
    assert (books.frozen(FIRST + 7).refitted != books.frozen(FIRST + 7).refitted).all()
    assert books.frozen(FIRST + 8).refitted.sum() == pytest.approx(20.0)
    beside = books.read("scores", FIRST + 11)["beside"]["refitted"]
    assert beside["refitted"]["examples"] == beside["champion"]["examples"] == 20
    (promoted,) = [one for one in books.journal() if one.get("role") == "refitted"]
    assert promoted["promoted"] == refits[FIRST + 7] == books.champion
    assert beside["refitted"]["log_loss"] <= beside["champion"]["log_loss"]


def test_answers_from_before_the_trees_can_be_read(tmp_path, straight):
    content = arrays_from_bytes((straight / "frozen" / f"{FIRST}.npz").read_bytes())
    del content["refitted"]
    put(tmp_path / "frozen" / f"{FIRST}.npz", arrays_to_bytes(content))
    found = Books(tmp_path).frozen(FIRST)
    assert (found.refitted != found.refitted).all()
    assert found.refitted.shape == found.challenger.shape


@pytest.mark.long
@pytest.mark.parametrize("step", [name for name, _ in STEPS])
def test_killed_after_any_step_it_ends_as_if_it_had_not_been(eve, straight, tmp_path, step):
    """In the last night trees are fitted, and those of the week before promoted."""
    shutil.copytree(eve, tmp_path, dirs_exist_ok=True)
    assert play(tmp_path, NIGHTS, FIRST + NIGHTS - 1, step) == -signal.SIGKILL
    assert play(tmp_path) == 0
    mine, theirs = state(tmp_path), state(straight)
    assert mine["promoted"] == theirs["promoted"]
    assert mine["journal"] == theirs["journal"]
    assert mine["files"] == theirs["files"]


def test_a_night_is_done_once_and_nights_go_forward(straight):
    books, before = Books(straight), state(straight)
    run_night(books, MadeUp(), FIRST + NIGHTS - 1)
    assert state(straight) == before
    with pytest.raises(ValueError, match="is done"):
        run_night(books, MadeUp(), FIRST)


def test_answers_are_from_before_their_labels(straight):
    books = Books(straight)
    frozen = books.frozen(FIRST + 5)
    assert set(MadeUp().labels(MadeUp().end_ms(FIRST + 5))).isdisjoint(frozen.object_id.tolist())
    first = books.frozen(FIRST)
    assert (first.challenger != first.challenger).all()  # NaN: nobody had been taught


def test_rollback_is_one_command_and_in_the_audit(tmp_path, straight, capsys):
    shutil.copytree(straight, tmp_path, dirs_exist_ok=True)
    books = Books(tmp_path)
    promoted = books.shelf.promoted()
    if len(promoted) < 2:
        assert rollback(["--state", str(tmp_path)]) == 2
        books.shelf.promote(books.shelf.all()[0].name)
        promoted = books.shelf.promoted()
    assert rollback(["--state", str(tmp_path)]) == 0
    assert books.champion == promoted[-2]
    assert books.journal()[-1]["to"] == promoted[-2]
    capsys.readouterr()


def test_a_changed_model_is_refused(tmp_path, straight):
    books = Books(straight)
    arrays, card = books.model(books.champion)
    other = Books(tmp_path)
    model_id = other.save_model(arrays, card)
    path = other.shelf.of(model_id) / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "id": "0" * 64}))
    with pytest.raises(ValueError, match="is not the model"):
        other.model(model_id)


def test_made_up_nights_tell_no_label_early():
    source = made_up_nights(5)
    assert source.nights[0] == FIRST_MJD
    first = source.alerts(source.nights[1])
    assert len(set(first.object_id.tolist())) == len(first.object_id) > 50
    told = source.labels(source.end_ms(source.nights[3]))
    assert 0 < len(told) < len(source.labels(source.end_ms(source.nights[-1] + 10)))
    assert all(one.taken_ms <= source.end_ms(source.nights[3]) for one in told.values())
    assert {one.class_name for one in told.values()} == set(source.classes)
