import duckdb
import numpy as np
import pyarrow as pa
import pytest

from services.distribute.filters import DEFAULT_FILE
from services.xmatch.catalogs import CATALOGS as XMATCH_CATALOGS
from shared.filters.derived import CATALOGS, DERIVED, OF_CATALOG
from shared.filters.engine import FilterEngine
from shared.filters.guard import Limits
from shared.filters.user_filter import UserFilter, read_filters
from shared.schemas.classification import TRANSIENT_CLASSES
from shared.testing.published import published_batch


def a_filter(name, where, **more):
    return UserFilter(name=name, where=where, description="a test", owner="tests", **more)


def wanted(where, batch, survey="ztf"):
    engine = FilterEngine([a_filter("it", where)])
    masks = engine.select(batch.record_batch, survey)
    assert masks, engine.misfits(batch.record_batch, survey) or engine.paused
    return masks["it"].tolist()


CURVE = {
    "lc_mjd_tai": [[1.0, 2.0, 4.0, 5.0], [5.0]],
    "lc_flux_njy": [[float("nan"), 10.0, -5.0, 36307.805], [-1.0]],
    "lc_flux_err_njy": [[1.0] * 4, [1.0]],
    "lc_band": [[1, 2, 1, 2], [1]],
    "lc_kind": [[2, 0, 1, 0], [1]],
    "mjd_tai": [5.0, 5.0],
    "flux_njy": [36307.805, -1.0],
    "flux_err_njy": [3630.7805, 1.0],
}
NGC = {"catalog": "openngc", "source_id": "NGC1", "source_class": "G", "separation_arcsec": 9.0}
STAR = {"catalog": "gcvs", "source_id": "SS Cyg", "source_class": "UGSS", "separation_arcsec": 2.0}

EVENTS = [
    {"event_id": "A", "credible_level": 0.7, "role": "observation", "joint_far_hz": 1e-9},
    {
        "event_id": "B",
        "credible_level": 0.2,
        "role": "test",
        "notice_type": "initial",
        "time_offset_days": 1.5,
        "joint_far_hz": 1e-7,
    },
]
VERDICTS = {
    "transient": [{"probability": 0.5, "class": "SN II", "probabilities": {"sn_ii": 0.5}}, None],
    "kilonova": [{"probability": 0.25}, None],
    "real_bogus": [{"probability": 0.75}, None],
    "early_sn_ia": [{"probability": 0.5}, None],
    "anomaly": [{"percentile": 99.0, "score": 0.5}, None],
}
AROUND = {
    "hosts": [
        [{"source_id": "NGC1", "separation_arcsec": 7.5, "offset_kpc": 2.0, "d_dlr": 0.5}],
        [],
    ],
    "context": [{"class": "SN", "catalog": "openngc"}, {"reason": "no catalog is installed"}],
    "redshift": [{"value": 0.01, "kind": "spec"}, None],
    "distance_mpc": [40.0, None],
}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("abs(magnitude_ab - 20) < 1e-6", [True, False]),
        ("magnitude_ab IS NULL", [False, True]),
        ("abs(magnitude_err - 0.10857362) < 1e-6", [True, False]),
        ("round(signal_to_noise) = 10", [True, False]),
        ("n_points = 4", [True, False]),
        ("n_detections = 2", [True, False]),
        ("first_detection_mjd_tai = 2", [True, False]),
        ("days_since_first_detection = 3", [True, False]),
        ("days_since_first_detection IS NULL", [False, True]),
        ("peak_flux_njy BETWEEN 36307 AND 36308", [True, False]),
        ("round(amplitude_njy) = 36313", [True, False]),
        ("n_matches = 2 AND nearest_catalog = 'gcvs'", [True, False]),
        ("nearest_source_id = 'SS Cyg' AND nearest_class = 'UGSS'", [True, False]),
        ("nearest_separation_arcsec = 2 AND nearest_redshift IS NULL", [True, False]),
        ("match_of('openngc').separation_arcsec = 9", [True, False]),
        ("match_of('vsx') IS NULL", [True, True]),
        ("best_credible_level = 0.2 AND n_associations = 2", [True, False]),
        ("n_hosts = 1 AND host_source_id = 'NGC1'", [True, False]),
        ("host_separation_arcsec = 7.5 AND host_offset_kpc = 2", [True, False]),
        ("host_d_dlr < 0.6", [True, False]),
        ("context_class = 'SN' AND context.catalog = 'openngc'", [True, False]),
        ("context_class IS NULL", [False, True]),
        ("abs(best_redshift - 0.01) < 1e-6 AND redshift.kind = 'spec'", [True, False]),
        ("abs(absolute_magnitude_ab + 13.0103) < 1e-3", [True, False]),
        ("absolute_magnitude_ab IS NULL", [False, True]),
        ("NULL::BOOLEAN", [False, False]),
        ("days_since_previous_detection = 3", [True, False]),
        ("days_since_last_upper_limit = 4", [True, False]),
        ("days_since_peak = 0", [True, True]),
        ("abs(ingest_delay_s - 0.2) < 1e-9", [True, True]),
        ("gcvs_source_id = 'SS Cyg' AND gcvs_class = 'UGSS'", [True, False]),
        ("openngc_separation_arcsec = 9 AND openngc_redshift IS NULL", [True, False]),
        ("best_event_id = 'B' AND best_event_role = 'test'", [True, False]),
        ("best_event_type = 'initial' AND best_event_days = 1.5", [True, False]),
        ("smallest_joint_far_hz = 1e-9", [True, False]),
        ("in_skymap('B', 0.2) AND NOT in_skymap('A', 0.5)", [True, False]),
        ("in_skymap('A', 0.9)", [True, False]),
        ("transient_class = 'SN II' AND p_sn_ii = 0.5 AND p_tde IS NULL", [True, False]),
        ("transient_probability = 0.5 AND kilonova_probability = 0.25", [True, False]),
        ("real_bogus_probability = 0.75 AND microlensing_probability IS NULL", [True, False]),
        ("early_sn_ia_probability = 0.5", [True, False]),
        ("anomaly_percentile = 99 AND anomaly_score = 0.5", [True, False]),
        ("in_watchlist('mine') AND on_watchlist('mine')", [True, False]),
        ("in_moc('field') AND in_region('field')", [False, True]),
    ],
)
def test_derived_columns_against_values_by_hand(where, expected):
    changes = {
        **CURVE,
        "matches": [[STAR, NGC], []],
        "associations": [EVENTS, []],
        **AROUND,
        **VERDICTS,
        "watchlists": [[{"name": "mine"}], []],
        "regions": [None, [{"name": "field"}]],
    }
    assert wanted(where, published_batch(2, changes=changes)) == expected


def test_every_derived_column_is_tested_by_hand():
    tested = str(test_derived_columns_against_values_by_hand.pytestmark)
    of_catalogs = {name for name, _, _ in OF_CATALOG}
    of_classes = {f"p_{name}" for name, _ in TRANSIENT_CLASSES}
    others = [name for name, _, _ in DERIVED if name not in of_catalogs | of_classes]
    assert [name for name in others if name not in tested] == []


def test_the_catalogs_with_columns_are_those_we_have():
    assert sorted(XMATCH_CATALOGS) == list(CATALOGS)


def test_every_column_of_a_catalog_and_a_class_binds():
    batch = published_batch(2).record_batch
    names = [name for name, _, _ in DERIVED]
    engine = FilterEngine([a_filter("it", " OR ".join(f"{n} IS NULL" for n in names[:200]))])
    assert engine.select(batch, "ztf"), engine.misfits(batch, "ztf")


@pytest.mark.parametrize(
    ("ra_deg", "dec_deg", "inside"),
    [(0.0, 0.0, True), (359.9999, 0.0, True), (0.0003, 0.0, False), (0.0, -0.0002, True)],
)
def test_cone_across_right_ascension_zero(ra_deg, dec_deg, inside):
    batch = published_batch(1, changes={"ra_deg": [ra_deg], "dec_deg": [dec_deg]})
    assert wanted("cone(0, 0, 1)", batch) == [inside]


def test_cone_at_the_pole():
    batch = published_batch(1, changes={"ra_deg": [180.0], "dec_deg": [89.9999]})
    assert wanted("cone(0, 89.9999, 0.73)", batch) == [True]
    assert wanted("cone(0, 89.9999, 0.71)", batch) == [False]


def test_galactic_latitude_of_the_poles_and_the_centre():
    changes = {
        "ra_deg": [192.85948, 12.85948, 266.40499],
        "dec_deg": [27.12825, -27.12825, -28.93617],
    }
    batch = published_batch(3, changes=changes)
    assert wanted("galactic_latitude() > 89.999", batch) == [True, False, False]
    assert wanted("galactic_latitude() < -89.999", batch) == [False, True, False]
    assert wanted("abs(galactic_latitude()) < 0.001", batch) == [False, False, True]


def test_batches_of_one_schema_share_a_plan_and_do_not_mix():
    engine = FilterEngine([a_filter("it", "flux_njy > 20000")])
    for seed in range(4):
        batch = published_batch(7 + seed, seed=seed)
        expected = batch.floats("flux_njy") > 20000
        np.testing.assert_array_equal(engine.select(batch.record_batch, "ztf")["it"], expected)


def test_many_record_batches_at_once():
    batches = [published_batch(40, seed=seed) for seed in range(5)]
    table = pa.Table.from_batches([b.record_batch for b in batches])
    found = FilterEngine([a_filter("it", "n_detections > 15")]).select(table, "ztf")["it"]
    alone = [wanted("n_detections > 15", b) for b in batches]
    assert found.tolist() == [one for each in alone for one in each]
    assert 0 < found.sum() < 200


def test_a_filter_of_one_survey_is_not_applicable_to_another():
    filters = [
        a_filter("ztf_only", "survey_fields.drb > 0"),
        a_filter("lsst_declared", "flux_njy IS NOT NULL", survey="lsst"),
        a_filter("both", "flux_njy IS NOT NULL"),
    ]
    engine = FilterEngine(filters)
    assert set(engine.select(published_batch(3).record_batch, "ztf")) == {"ztf_only", "both"}
    lsst = published_batch(3, survey="lsst").record_batch
    assert set(engine.select(lsst, "lsst")) == {"lsst_declared", "both"}
    assert set(engine.misfits(lsst, "lsst")) == {"ztf_only"}
    assert engine.paused == {}


def test_a_failing_filter_is_paused_and_the_others_go_on():
    filters = [
        a_filter("good", "flux_njy IS NOT NULL"),
        a_filter("bad", "object_id::INTEGER > 1"),
        a_filter("also_good", "reliability >= 0"),
    ]
    engine = FilterEngine(filters)
    batch = published_batch(5).record_batch
    for _ in range(2):
        masks = engine.select(batch, "ztf")
        assert {name: mask.all() for name, mask in masks.items()} == {
            "good": True,
            "also_good": True,
        }
    assert list(engine.paused) == ["bad"]
    assert "Conversion" in engine.paused["bad"]


def test_a_slow_filter_is_paused_and_the_others_go_on():
    slow = " + ".join(
        f"list_sum(list_transform(lc_flux_njy, lambda f: sin(f * {i}) ** 2))" for i in range(100)
    )
    filters = [a_filter("slow", f"{slow} > 0"), a_filter("good", "flux_njy IS NOT NULL")]
    engine = FilterEngine(filters, Limits(seconds=0.05))
    batches = [published_batch(100, points=300).record_batch] * 30
    masks = engine.select(pa.Table.from_batches(batches), "ztf")
    assert list(engine.paused) == ["slow"]
    assert masks["good"].all()
    assert list(engine.select(batches[0], "ztf")) == ["good"]


class TooSlowTogether:
    """A connection on which the fused query of all filters always exceeds the time limit."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, query):
        if query.startswith("EXECUTE"):
            raise duckdb.InterruptException("INTERRUPT Error: Query exceeded the time limit")
        return self._connection.execute(query)


def test_a_set_too_slow_together_loses_its_slowest():
    slow = " + ".join(
        f"list_sum(list_transform(lc_flux_njy, lambda f: sin(f * {i})))" for i in range(60)
    )
    filters = [a_filter("a", "true"), a_filter("slow", f"{slow} > 0"), a_filter("b", "true")]
    engine = FilterEngine(filters)
    engine._connection = TooSlowTogether(engine._connection)
    batch = published_batch(100, points=300).record_batch
    for _ in range(3):
        assert engine.paused == {}
        assert set(engine.select(batch, "ztf")) == {"a", "slow", "b"}
    assert list(engine.paused) == ["slow"]


def test_plans_of_old_schemas_are_dropped():
    engine = FilterEngine([a_filter("it", "flux_njy > 0")])
    for survey in ("ztf", "lsst", "ztf", "lsst"):
        engine.select(published_batch(3, survey=survey).record_batch, "same")
    relations = engine._connection.execute("SELECT count(*) FROM duckdb_views()").fetchone()
    fresh = FilterEngine([a_filter("it", "flux_njy > 0")])
    fresh.select(published_batch(3).record_batch, "same")
    assert relations == fresh._connection.execute("SELECT count(*) FROM duckdb_views()").fetchone()


def test_an_absent_column_is_null():
    batch = published_batch(3).record_batch
    short = batch.select([n for n in batch.schema.names if n != "associations"])
    engine = FilterEngine([a_filter("it", "n_associations = 0")])
    assert engine.select(short, "ztf")["it"].all()


def test_the_shipped_filters_run_on_every_survey():
    engine = FilterEngine(read_filters(DEFAULT_FILE))
    for survey in ("ztf", "lsst"):
        batch = published_batch(300, survey=survey, seed=5).record_batch
        assert engine.misfits(batch, survey) == {}
        assert set(engine.select(batch, survey)) == set(engine.filters)
    assert engine.paused == {}


class Unplannable:
    """A connection whose planner gives up on one text."""

    def __init__(self, connection, text):
        self._connection = connection
        self._text = text

    def execute(self, query, *rest):
        if self._text in query and query.startswith(("PREPARE", "EXPLAIN")):
            raise duckdb.InterruptException("INTERRUPT Error: Query exceeded maximum time")
        return self._connection.execute(query, *rest)

    def __getattr__(self, name):
        return getattr(self._connection, name)


def test_a_filter_that_cannot_be_planned_is_paused_and_the_others_run():
    batch = published_batch(2, changes=CURVE).record_batch
    engine = FilterEngine([a_filter("good", "n_points = 4"), a_filter("bad", "n_points = 5")])
    engine._connection = Unplannable(engine._connection, "n_points = 5")
    assert engine.select(batch, "ztf")["good"].tolist() == [True, False]
    assert list(engine.paused) == ["bad"]
    assert engine.select(batch, "ztf")["good"].tolist() == [True, False]


def test_of_filters_that_cannot_be_planned_together_one_is_paused():
    batch = published_batch(2, changes=CURVE).record_batch
    engine = FilterEngine([a_filter(name, "n_points = 4") for name in ("a", "b")])
    engine._connection = Unplannable(engine._connection, '"a", coalesce')
    assert len(engine.select(batch, "ztf")) == 1
    assert len(engine.paused) == 1
