import ast
import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from services.classify import features
from services.classify.features import NAMES, STRUCT, compute_features, features_column
from shared.alert_batch import AlertBatch
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.schemas.alert import MATCHED
from shared.testing.batches import made_up_batch
from shared.testing.light_curves import Point, batch_of_curves

NAN = float("nan")
RISING: list[Point] = [
    (60_000.0, "g", NAN, 200.0, UPPER_LIMIT),
    (60_003.0, "g", 2_000.0, 200.0, DETECTION),
    (60_003.5, "r", 1_500.0, 150.0, DETECTION),
    (60_006.0, "r", NAN, 100.0, UPPER_LIMIT),
    (60_007.0, "g", 6_000.0, 200.0, DETECTION),
    (60_008.0, "r", 6_000.0, 200.0, DETECTION),
]


def feature(curve: list[Point], name: str) -> float:
    return float(compute_features(batch_of_curves([curve])).of(name)[0])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("n_detections", 4),
        ("n_negative_detections", 0),
        ("n_nights", 4),  # half a day apart is another night
        ("days_since_first_detection", 5.0),
        ("days_from_limit_to_first_detection", 3.0),
        ("first_flux_over_limit", 2.0),  # 2,000 over 5 x 200
        ("n_contradicting_limits", 1),  # r: 5 x 100 < 1,500 / 2
        ("snr_max", 30.0),
        ("snr_last", 30.0),
        ("n_detections_g", 2),
        ("flux_max_g_njy", 6_000.0),
        ("last_over_max_r", 1.0),
        ("first_over_max_r", 0.25),
        ("days_since_max_g", 1.0),
        ("days_first_to_last_g", 4.0),
        ("limit_over_max_g", 1_000.0 / 6_000.0),
        ("colour_gr_max_mag", 0.0),
        ("colour_gr_first_mag", -2.5 * np.log10(2_000 / 1_500)),
        ("colour_gr_last_mag", 0.0),
        ("colour_gr_slope_mag_per_day", 2.5 * np.log10(2_000 / 1_500) / 4.25),
        ("days_max_g_to_max_r", 1.0),
    ],
)
def test_hand_computed(name: str, expected: float) -> None:
    assert feature(RISING, name) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_slope_is_that_of_a_weighted_line() -> None:
    times, flux, err = np.array([0.0, 2.0, 5.0]), np.array([10.0, 14.0, 19.0]), np.full(3, 0.5)
    curve = [(60_000.0 + t, "r", f, e, DETECTION) for t, f, e in zip(times, flux, err, strict=True)]
    sigma = np.hypot(err, 0.03 * flux)
    (slope, constant), covariance = np.polyfit(times, flux, 1, w=1 / sigma, cov="unscaled")
    mean = np.average(flux, weights=sigma**-2)
    chi2 = np.sum(((flux - constant - slope * times) / sigma) ** 2)
    assert feature(curve, "slope_r_per_day") == pytest.approx(slope / mean, rel=1e-5)
    assert feature(curve, "slope_error_r_per_day") == pytest.approx(
        np.sqrt(covariance[0, 0]) / mean, rel=1e-5
    )
    assert feature(curve, "chi2_line_r") == pytest.approx(chi2, rel=1e-3)
    assert feature(curve, "chi2_mean_r") == pytest.approx(
        np.sum(((flux - mean) / sigma) ** 2) / 2, rel=1e-5
    )


def test_forced_photometry_of_a_detection_is_not_counted_twice() -> None:
    forced = [(t + 2e-4, b, f * 1.01, e, FORCED) for t, b, f, e, k in RISING if k == DETECTION]
    faint: list[Point] = [(60_004.0, "g", 300.0, 200.0, FORCED)]
    both = sorted([*RISING, *forced, *faint])
    assert feature(both, "n_detections") == 4
    assert feature(both, "flux_max_g_njy") == 6_000.0


def test_forced_photometry_alone_counts_when_significant() -> None:
    curve = [(t, b, f, e, FORCED) for t, b, f, e, k in RISING if k == DETECTION]
    assert feature(curve, "n_detections") == 4


def test_only_thirty_days_are_looked_at() -> None:
    old: list[Point] = [(59_977.9, "g", 9_000.0, 100.0, DETECTION)]
    assert feature([*old, *RISING], "flux_max_g_njy") == 6_000.0
    recent: list[Point] = [(59_978.1, "g", 9_000.0, 100.0, DETECTION)]
    assert feature([*recent, *RISING], "flux_max_g_njy") == 9_000.0


def test_missing_is_missing_and_never_zero() -> None:
    row = features_column(compute_features(batch_of_curves([RISING])))[0].as_py()
    assert row["n_detections_i"] == 0
    assert row["flux_max_i_njy"] is None
    assert row["colour_ri_max_mag"] is None


@pytest.mark.parametrize(
    "curve",
    [
        [(60_000.0, "g", NAN, 200.0, UPPER_LIMIT)],
        [(60_000.0, "g", NAN, NAN, DETECTION)],
        [(60_000.0, "g", 100.0, 0.0, DETECTION)],
        [(60_000.0, "y", 100.0, 1.0, DETECTION)],
        [(60_000.0, "g", -900.0, 10.0, DETECTION)],
        [],
    ],
)
def test_odd_curves_do_not_break_their_neighbours(curve: list[Point]) -> None:
    batch = batch_of_curves([RISING, RISING, RISING])
    at = {n: batch.record_batch.schema.get_field_index(n) for n in batch.record_batch.schema.names}
    record_batch = batch.record_batch
    for name, column in (
        ("lc_mjd_tai", 0),
        ("lc_flux_njy", 2),
        ("lc_flux_err_njy", 3),
        ("lc_kind", 4),
    ):
        values = [[p[column] for p in c] for c in (RISING, curve, RISING)]
        field = record_batch.schema.field(at[name])
        record_batch = record_batch.set_column(at[name], field, pa.array(values, field.type))
    bands = pa.array(
        [
            [1 if p[1] == "g" else 5 if p[1] == "y" else 2 for p in c]
            for c in (RISING, curve, RISING)
        ],
        pa.list_(pa.int8()),
    )
    record_batch = record_batch.set_column(
        at["lc_band"], record_batch.schema.field(at["lc_band"]), bands
    )
    of_light = [name != "galactic_latitude_deg" for name in NAMES]  # made-up places differ
    values = compute_features(AlertBatch(record_batch)).values[of_light]
    alone = compute_features(batch_of_curves([RISING])).values[of_light, 0]
    np.testing.assert_array_equal(values[:, 0], alone)
    np.testing.assert_array_equal(values[:, 2], alone)


def test_a_slice_of_a_batch_gives_the_same_features() -> None:
    batch = made_up_batch(50, seed=3)
    whole = compute_features(batch).values
    np.testing.assert_array_equal(compute_features(batch.slice(20, 10)).values, whole[:, 20:30])


def test_galactic_latitude_of_known_places() -> None:
    batch = batch_of_curves([RISING] * 3)
    places = {"ra_deg": [192.85948, 266.40499, 0.0], "dec_deg": [27.12825, -28.93617, 0.0]}
    record_batch = batch.record_batch
    for name, values in places.items():
        at = record_batch.schema.get_field_index(name)
        record_batch = record_batch.set_column(at, record_batch.schema.field(at), pa.array(values))
    latitude = compute_features(AlertBatch(record_batch)).of("galactic_latitude_deg")
    np.testing.assert_allclose(latitude, [90.0, 0.0, -60.188552], atol=2e-3)


def test_definitions_changed_means_version_changed() -> None:
    """If this fails: count VERSION up, train the models again, then pin the new digest."""
    text = "\n".join(f"{d.name}|{d.unit}|{d.definition}" for d in features.DEFINITIONS.values())
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert (features.VERSION, digest) == ("2", "3ca4a3b98fd7f6af")


def test_every_feature_says_what_it_is() -> None:
    assert len(set(NAMES)) == len(NAMES) > STRUCT.num_fields
    assert {STRUCT.field(k).name for k in range(STRUCT.num_fields)} < set(NAMES)
    for definition in features.DEFINITIONS.values():
        assert definition.definition.endswith((".", ")."))
        for suffix, unit in (("_njy", "nJy"), ("_mag", "mag"), ("_deg", "deg")):
            assert definition.name.endswith(suffix) == (definition.unit == unit)


def test_feature_code_reads_only_what_an_observer_has() -> None:
    """Truth columns in the batch are never touched, and training code never imported."""
    touched: set[str] = set()

    class Watched:
        def __init__(self, record_batch: pa.RecordBatch) -> None:
            self._inner = record_batch

            self.schema = record_batch.schema
            self.num_rows = record_batch.num_rows

        def column(self, name: str) -> pa.Array:
            touched.add(name)
            return self._inner.column(name)

    batch = batch_of_curves([RISING]).record_batch
    matches = pa.array([[{"catalog": "ned", "redshift": 0.02}]], MATCHED[0].type)
    batch = batch.append_column("matches", matches)
    for truth in ("true_class", "sim_z", "peakmjd", "true_z", "type"):
        batch = batch.append_column(truth, pa.array([1.0]))
    compute_features(AlertBatch(Watched(batch)))
    assert touched == {
        "ra_deg", "dec_deg", "matches", "lc_mjd_tai", "lc_flux_njy", "lc_flux_err_njy", "lc_band",
        "lc_kind",
    }  # fmt: skip
    folder = Path(features.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert "training" not in (node.module or "")


def test_the_nearest_host_with_a_redshift_counts() -> None:
    batch = batch_of_curves([RISING] * 4)
    known, star = {"catalog": "a", "redshift": 0.03}, {"catalog": "b", "redshift": -0.001}
    lists = [[known, known | {"redshift": 0.5}], None, [{"catalog": "c"}, known], [star]]
    matches = pa.array(lists, MATCHED[0].type)
    batch = AlertBatch(batch.record_batch.append_column("matches", matches))
    redshift = compute_features(batch).of("host_redshift")
    np.testing.assert_allclose(redshift, [0.03, NAN, 0.03, NAN])
    np.testing.assert_allclose(compute_features(batch.slice(2, 2)).of("host_redshift"), [0.03, NAN])
