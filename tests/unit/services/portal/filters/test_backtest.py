import numpy as np
import pyarrow as pa
import pytest

from services.archive.nightly.pack import pack_night
from services.portal.filters.backtest import Backtest, BacktestFailedError, newest_nights
from services.portal.filters.backtest_process import run_backtest_apart
from services.portal.verbs.filter_report import report_lines, sparkline
from shared.archive.snapshots import archive_root, current_snapshot
from shared.filters.engine import FilterEngine
from shared.filters.guard import Limits
from shared.filters.refusal import FilterRefusedError
from shared.filters.user_filter import UserFilter
from shared.kafka.envelopes import write_envelope
from shared.testing.published import published_batch

NIGHTS = (61_000, 61_001, 61_002)
WHERE = "reliability > 0.7 AND days_since_first_detection > 20 AND match_of('gcvs') IS NULL"


def alerts(night, n=300):
    mjds = [night + 1.0 + 0.0005 * i for i in range(n)]
    return published_batch(n, seed=night, first_offset=night * 1000, changes={"mjd_tai": mjds})


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    for night in NIGHTS:
        table = pa.Table.from_batches([alerts(night).record_batch])
        pack_night(archive_root(folder), "ztf", night, [table], expected=300)
    return folder


def a_filter(select, **more):
    return UserFilter(name="it", select=select, description="x", owner="ann", **more)


def report_of(state_dir, each, nights=7, private=None):
    test = Backtest(each, Limits(), private or {}, 60.0)
    snapshot = current_snapshot(archive_root(state_dir), "ztf")
    test.ask_snapshot(snapshot, newest_nights([snapshot], nights))
    return test.finished()


def expected(each, night):
    masks = FilterEngine([each]).select(alerts(night).record_batch, "ztf")
    return int(masks["it"].sum())


@pytest.mark.parametrize("python", [None, "steady_riser"])
def test_it_counts_what_the_stream_would_have_sent(state_dir, python):
    select = "SELECT object_id, mag(flux_njy) AS m FROM alerts WHERE "
    each = a_filter(select + WHERE, python=python)
    report = report_of(state_dir, each)
    counts = {night: [300, expected(each, night)] for night in NIGHTS}
    assert report.by_night == {"ztf": counts}
    assert report.wanted == sum(wanted for _, wanted in counts.values())
    assert 0 < report.share < 1
    assert len(report.examples) == min(5, report.wanted)
    for example in report.examples:
        night = int(example.alert_id) - 2_000_000_000
        batch = alerts(night // 1000)
        row = batch.strings("alert_id").index(example.alert_id)
        np.testing.assert_array_equal(
            example.light_curve["lc_mjd_tai"], batch.record_batch.column("lc_mjd_tai")[row].as_py()
        )
        assert example.sends["object_id"] == example.object_id


def test_only_the_last_nights(state_dir):
    report = report_of(state_dir, a_filter("true"), nights=2)
    assert set(report.by_night["ztf"]) == set(NIGHTS[1:])
    assert report.share == 1


def test_a_private_survey_is_as_if_it_were_not_there(state_dir):
    private = {"ztf": frozenset({"partners"})}
    assert report_of(state_dir, a_filter("true"), private=private).alerts == 0
    inside = a_filter("true", is_public=False, group="partners")
    assert report_of(state_dir, inside, private=private).alerts == 900


def test_a_filter_that_would_be_paused_says_so(state_dir):
    with pytest.raises(BacktestFailedError, match="would be paused: ConversionException"):
        report_of(state_dir, a_filter("object_id::INTEGER > 1"))


@pytest.mark.long
async def test_apart_with_tonights_envelopes(state_dir):
    tonight = alerts(61_003, 50)
    known = alerts(61_002, 50)
    options = {
        "state_dir": state_dir,
        "nights": 2,
        "surveys": [],
        "envelopes": [("ztf", write_envelope(tonight)), ("ztf", write_envelope(known))],
        "private_surveys": {},
        "limits": Limits(),
        "seconds": 60.0,
    }
    report = await run_backtest_apart(a_filter("flux_njy > 0"), **options)
    assert [(one["night"], one["alerts"]) for one in report["nights"]] == [
        (61_001, 300), (61_002, 300), (61_003, 50),
    ]  # fmt: skip
    lines = list(report_lines("it", report))
    assert "of 650 alerts" in lines[0]
    assert any("▁" in line for line in lines)
    with pytest.raises(FilterRefusedError) as caught:
        await run_backtest_apart(a_filter("true AND\n nothing > 1"), **options)
    assert "nothing" in caught.value.why
    with pytest.raises(BacktestFailedError, match="would be paused"):
        await run_backtest_apart(a_filter("object_id::INTEGER > 1"), **options)


def test_a_sparkline():
    assert sparkline([(0, 1.0), (1, 2.0)]) == "▁  █"
    assert sparkline([(0, 5.0)]) in {"▁ ", "▁"}
    assert len(sparkline([(float(i), float(i % 7)) for i in range(500)])) == 40
