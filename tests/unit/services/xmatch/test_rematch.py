"""What counts as a change, and how an interrupted run goes on."""

import pytest

from services.xmatch.rematch.compare import Known, changes_of, judged
from services.xmatch.rematch.progress_file import ProgressFile


def match(source_id, away=1.0, catalog="vsx", version="1", **fields):
    given = {"catalog": catalog, "catalog_version": version, "source_id": source_id}
    return {**given, "separation_arcsec": away, "source_class": "RRAB", "redshift": None, **fields}


def known(*matches, watchlists=(), regions=()):
    return Known(matches, watchlists, regions)


def said(before, after):
    return [(c.what, c.column, c.catalog, c.source_id) for c in changes_of(before, after)]


def test_what_came_what_went_and_what_is_another():
    before = known(match("a"), match("b"), match("c"))
    after = known(match("b", source_class="EW"), match("c"), match("d"), match("a", catalog="gcvs"))
    assert said(before, after) == [
        ("removed", "matches", "vsx", "a"), ("changed", "matches", "vsx", "b"),
        ("added", "matches", "vsx", "d"), ("added", "matches", "gcvs", "a"),
    ]  # fmt: skip


def test_a_change_names_both_versions():
    (change,) = changes_of(known(match("a", version="1")), known(match("a", 3.0, version="2")))
    assert (change.what, change.version_before, change.version_after) == ("changed", "1", "2")
    (change,) = changes_of(known(), known(match("a", version="2")))
    assert (change.version_before, change.version_after) == (None, "2")


@pytest.mark.parametrize(
    "after",
    [
        match("a", version="2"),
        match("a", 1.04),
        match("a", redshift=None),
        {k: v for k, v in match("a").items() if k != "redshift"},
    ],
)
def test_a_new_version_or_the_last_digit_alone_is_no_change(after):
    assert said(known(match("a")), known(after)) == []


def test_single_precision_is_precision_enough():
    before = known(match("a", redshift=0.00351))
    assert said(before, known(match("a", redshift=0.0035100001))) == []
    assert said(before, known(match("a", redshift=0.0036))) != []


def test_catalogs_that_are_not_open_here_keep_their_word():
    before = known(match("a", 2.0), match("q", 1.0, catalog="milliquas"))
    after = judged(before, known(match("b", 0.5)), {"vsx"}, watched=False)
    assert [m["source_id"] for m in after.matches] == ["b", "q"]
    assert said(before, after) == [
        ("removed", "matches", "vsx", "a"),
        ("added", "matches", "vsx", "b"),
    ]


def test_watched_positions_and_regions_are_told_with_their_owner():
    hit = {"name": "l", "owner": "ann", "version": "1", "is_public": False,
           "separation_arcsec": 0.1, "target": None}  # fmt: skip
    region = {"name": "r", "owner": "bob", "version": "2", "is_public": True}
    after = judged(known(), known(watchlists=[hit], regions=[region]), (), watched=True)
    one, other = changes_of(known(), after)
    assert (one.column, one.catalog, one.source_id, one.owner, one.is_public) == (
        "watchlists", "l", "", "ann", False,
    )  # fmt: skip
    assert (other.column, other.catalog, other.version_after, other.is_public) == (
        "regions", "r", "2", True,
    )  # fmt: skip
    assert changes_of(known(), judged(known(), after, (), watched=False)) == []
    published = {**hit, "is_public": True}
    assert [c.what for c in changes_of(known(watchlists=[hit]), known(watchlists=[published]))] == [
        "changed"
    ]


def test_progress_is_remembered_until_the_run_is_complete(tmp_path):
    first = ProgressFile(tmp_path, ["v1", 30])
    first.add(("ztf", 60324))
    assert ProgressFile(tmp_path, ["v1", 30]).done == {("ztf", 60324)}
    assert ProgressFile(tmp_path, ["v2", 30]).done == set()
    first.complete()
    assert ProgressFile(tmp_path, ["v1", 30]).done == set()


def test_a_progress_file_cut_in_the_middle_is_no_progress(tmp_path):
    first = ProgressFile(tmp_path, [1])
    first.add(("ztf", 60324))
    (path,) = tmp_path.iterdir()
    path.write_text('[["ztf", 6')
    assert ProgressFile(tmp_path, [1]).done == set()
