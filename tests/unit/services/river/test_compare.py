"""What a night became is told from what it was: alerts, matches, answers, classes."""

import pyarrow as pa
import pytest

from services.archive.nightly.pack import pack_night
from services.river.reprocess.compare import compare, paths_of
from shared.archive.snapshots import current_snapshot
from shared.testing.published import published_batch

NIGHT = 61_000


def night(changes=None, *, alerts=20):
    times = {"mjd_tai": [NIGHT + 0.9] * 20, "healpix29": list(range(20))}
    verdict = {"probability": 0.25, "reason": "ok", "model_version": "a" * 12}
    answers = {"early_sn_ia": [verdict] * 20, "transient": [verdict | {"class": "SN Ia"}] * 20}
    batch = published_batch(20, changes=times | answers | (changes or {}))
    return pa.Table.from_batches([batch.record_batch]).slice(0, alerts)


@pytest.fixture
def compared(tmp_path):
    def compare_with(table):
        paths = []
        for name, one in (("before", night()), ("after", table)):
            pack_night(tmp_path / name, "ztf", NIGHT, [one], expected=20)
            paths.append(paths_of(current_snapshot(tmp_path / name, "ztf"), NIGHT))
        return compare(NIGHT, *paths)

    return compare_with


def test_the_same_night_has_not_changed(compared):
    found = compared(night())
    assert found["alerts"] == {"both": 20, "gone": 0, "new": 0}
    assert set(found["changed"].values()) == {0}
    assert all(one["answers"] == 0 for one in found["classifiers"].values())


def test_alerts_that_are_gone_are_counted(compared):
    assert compared(night(alerts=15))["alerts"] == {"both": 15, "gone": 5, "new": 0}


def test_other_answers_and_classes_are_told_with_examples(compared):
    before = {"probability": 0.25, "reason": "ok", "model_version": "b" * 12}
    answers = [before | {"probability": 0.75}, before | {"probability": None}] + [before] * 18
    classes = [before | {"class": "SN II"}] * 3 + [before | {"class": "SN Ia"}] * 17
    found = compared(night({"early_sn_ia": answers, "transient": classes, "matches": [[]] * 20}))
    young = found["classifiers"]["early_sn_ia"]
    assert (young["answers"], young["abstained_now"], young["judged_now"]) == (2, 1, 0)
    assert (young["model_before"], young["model_after"]) == ("a" * 12, "b" * 12)
    assert len(young["examples"]) == 2
    assert found["classifiers"]["transient"]["classes"] == [
        {"before": "SN Ia", "after": "SN II", "alerts": 3}
    ]
    assert 0 < found["changed"]["matches"] < 20
    assert found["changed"]["flux"] == 0
