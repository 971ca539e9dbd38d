"""Labels: what is kept, what speaks, who wins."""

import pytest

from shared.labels.class_names import class_of
from shared.labels.resolve import resolve, speaking
from shared.schemas.label import Label


def label(class_name="SN Ia", source="tns", author="TNS", at=1, taken=None, **more):
    return Label(
        object_id=more.pop("object_id", "o"), class_name=class_name, source=source, author=author,
        said_ms=at, taken_ms=at if taken is None else taken, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ("SN Ia", "SN Ia"), ("Ia", "SN Ia"), ("SN Ia-91T-like", "SN Ia"), ("SN IIn", "SN II"),
        ("SN Ib/c", "SN Ibc"), ("SN Iax[02cx-like]", "SN Iax"), ("SN Ia-CSM", "other"),
        ("SLSN-II", "SLSN"), ("TDE-H-He", "TDE"), ("QSO", "AGN"), ("SN", None), ("what", None),
        ("SN IIP*", "SN II"), ("kilonova", "kilonova"), ("Galaxy", "bogus"),
    ],
)  # fmt: skip
def test_words_and_classes(said, own):
    assert class_of(said) == own


def test_a_label_survives_the_wire_and_a_repeat_is_recognised():
    one = label(redshift=0.03, confidence=0.9)
    assert Label.from_json(one.to_json()) == one
    again = one.model_copy(update={"taken_ms": 99})
    assert again.label_id == one.label_id
    assert label(confidence=0.8).label_id != label(confidence=0.9).label_id


def test_as_of_a_day_later_labels_do_not_exist():
    labels = [label("SN II", at=1), label("SN Ia", at=2, taken=10)]
    assert resolve(labels, as_of_ms=9)["o"].class_name == "SN II"
    assert resolve(labels, as_of_ms=10)["o"].class_name == "SN Ia"
    assert resolve(labels, as_of_ms=0) == {}


def test_the_newest_of_an_author_speaks_and_the_author_may_withdraw():
    first = label("SN II", "expert", "ann", 1)
    second = label("SN Ia", "expert", "ann", 2)
    assert speaking([second, first]) == [second]
    gone = label("SN Ia", "expert", "ann", 3, withdraws=second.label_id)
    assert speaking([first, second, gone]) == [first]
    forged = label("SN Ia", "expert", "bob", 3, withdraws=second.label_id)
    assert speaking([first, second, forged]) == [second]
    assert speaking([first, second, gone], as_of_ms=2) == [second]


def test_conflicts_are_kept_and_resolved_by_evidence():
    spectrum = label("SN Ia", "spectrum", "lab")
    expert = label("SN II", "expert", "ann")
    won = resolve([spectrum, expert])["o"]
    assert (won.class_name, won.state) == ("SN Ia", "outweighed")
    assert len(won.labels) == 2
    even = resolve([label("SN Ia", "expert", "a"), label("SN II", "expert", "b")])["o"]
    assert (even.class_name, even.state) == (None, "disputed")
    assert list(even.evidence.values()) == [0.7, 0.7]


def test_agreement_adds_up():
    one = resolve([label("SN Ia", "expert", "a")])["o"]
    two = resolve([label("Ia", "expert", "a"), label("SN Ia-norm", "expert", "b")])["o"]
    assert (one.state, two.state) == ("single", "agreed")
    assert two.evidence["SN Ia"] > one.evidence["SN Ia"]


def test_a_word_without_class_says_nothing():
    found = resolve([label("SN")])["o"]
    assert (found.class_name, found.state, found.taken_ms) == (None, "no_class", 0)


def test_order_and_repeats_do_not_matter():
    labels = [label("SN II", at=k, author=f"a{k}", source="expert") for k in range(4)]
    assert resolve(labels) == resolve([*reversed(labels), *labels])
