import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from services.classify.classifiers import MODELS, TRAINED
from services.classify.features.early import HISTORY_DAYS
from services.classify.model_registry import ModelShelf
from services.classify.training.cards import manifest_of
from services.classify.training.datasets.base import (
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from services.classify.training.datasets.osc import class_of
from services.classify.training.early_alerts import BRIGHTEST_MAG, Cut, cut_alerts
from services.classify.training.early_sn_ia import Examples, weights
from services.classify.training.examples import examples_of, is_held_out
from services.classify.training.looks import LOOKS, look_at
from services.classify.training.metrics import expected_calibration_error, newest_by
from services.classify.training.scores import (
    class_weighted_log_loss,
    fitted_temperature,
)
from shared.light_curves.bands import DETECTION, UPPER_LIMIT

SHELF = Path(os.environ.get("TOCSIN_DATA", Path(__file__).parents[5] / "shared" / "data"))
needs_shelf = pytest.mark.skipif(
    not (SHELF / "light_curves").is_dir(), reason="TOCSIN_DATA has no light_curves/"
)


@pytest.fixture
def dataset() -> LabelledLightCurves:
    """Twenty bell-shaped transients in g, r, i, a point every two days."""
    rng = np.random.default_rng(0)
    times = np.arange(0.0, 80.0, 2.0)
    keys = np.repeat(np.arange(20), len(times) * 3)
    mjd = np.tile(np.repeat(times, 3), 20) + 60_000.0
    flux = 1_000.0 * np.exp(-0.5 * ((mjd - 60_040.0) / 8.0) ** 2) + rng.normal(0, 10, len(mjd))
    _, curves = grouped(
        keys,
        {
            "mjd_tai": mjd,
            "flux_njy": flux,
            "flux_err_njy": np.full(len(mjd), 10.0),
            "band": np.tile([1, 2, 3], len(times) * 20),
        },
    )
    truth = Truth(
        object_id=np.array([f"o{k}" for k in range(20)]),
        class_name=np.array(["SN Ia", "SN II"] * 10),
        is_sn_ia=np.array([True, False] * 10),
        redshift=np.full(20, 0.5),
    )
    return LabelledLightCurves("made_up", curves, truth, Surroundings.unknown(20))


def test_alerts_end_with_a_detection_and_hold_no_future(dataset: LabelledLightCurves) -> None:
    alerts = cut_alerts(dataset, Cut(alerts_per_object=5, versions=3), seed=1)
    curves = alerts.curves
    assert len(curves) > 100
    for k in range(len(curves)):
        here = slice(curves.offsets[k], curves.offsets[k + 1])
        mjd, kind = curves.mjd_tai[here], curves.kind[here]
        assert kind[-1] == DETECTION
        assert np.all(np.diff(mjd) >= 0)
        assert mjd[-1] - mjd[0] <= HISTORY_DAYS
        assert np.isnan(curves.flux_njy[here][kind == UPPER_LIMIT]).all()
        detected = mjd[(kind == DETECTION) & (curves.flux_njy[here] > 0)]
        assert len(detected) >= 3
        assert mjd[-1] - detected[0] == pytest.approx(alerts.days_since_first[k], abs=1e-3)


def test_cuts_depend_on_the_seed_alone(dataset: LabelledLightCurves) -> None:
    cut = Cut(alerts_per_object=2, versions=2)
    first, again, other = (cut_alerts(dataset, cut, seed).curves for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.flux_njy, again.flux_njy)
    assert not np.array_equal(first.flux_njy[:50], other.flux_njy[:50])


def test_truth_does_not_change_what_is_cut(dataset: LabelledLightCurves) -> None:
    swapped = LabelledLightCurves(
        dataset.name,
        dataset.curves,
        Truth(
            dataset.truth.object_id,
            dataset.truth.class_name[::-1],
            ~dataset.truth.is_sn_ia,
            dataset.truth.redshift,
        ),
        dataset.surroundings,
    )
    cut = Cut(alerts_per_object=2, versions=2)
    np.testing.assert_array_equal(
        cut_alerts(dataset, cut, 1).curves.flux_njy, cut_alerts(swapped, cut, 1).curves.flux_njy
    )


def test_hold_out_is_by_object_and_about_a_fifth() -> None:
    names = np.array([f"ZTF21aa{k}" for k in range(4_000)])
    held = is_held_out("osc", names)
    assert 0.17 < held.mean() < 0.23
    np.testing.assert_array_equal(held, is_held_out("osc", names))


@pytest.mark.parametrize(
    ("types", "expected"),
    [("Ia|Ia-91T", "SN Ia"), ("II P|II", "SN II"), ("Ia|II", None), ("Ia Pec", None), ("", None),
     ("Ia|Ia-91bg", "SN Ia-91bg"), ("Ic BL|Ic", "SN Ibc"), ("SLSN-I|SLSN", "SLSN-I"),
     ("Candidate", None)],
)  # fmt: skip
def test_claimed_types(types: str, expected: str | None) -> None:
    assert class_of(types) == expected


@pytest.mark.parametrize("look", LOOKS)
def test_looks_hold_no_future_and_do_not_see_the_class(
    look: str, dataset: LabelledLightCurves
) -> None:
    found = look_at(dataset, look, np.random.default_rng(1))
    again = look_at(dataset, look, np.random.default_rng(1))
    np.testing.assert_array_equal(found.curves.flux_njy, again.curves.flux_njy)
    assert len(found.curves) > 10
    for k in range(len(found.curves)):
        here = slice(found.curves.offsets[k], found.curves.offsets[k + 1])
        mjd = found.curves.mjd_tai[here]
        assert np.all(np.diff(mjd) >= 0)
        positive = found.curves.flux_njy[here] >= 5.0 * found.curves.flux_err_njy[here]
        assert positive.sum() >= 3
        if look.endswith("alert"):
            assert mjd[positive][-1] == mjd.max()
        if look == "ztf_alert":
            assert mjd[-1] - mjd[0] <= 30.0
            assert set(found.curves.band[here].tolist()) <= {1, 2, 3}
    truth = dataset.truth
    swapped = LabelledLightCurves(
        dataset.name,
        dataset.curves,
        Truth(truth.object_id, truth.class_name[::-1], ~truth.is_sn_ia, truth.redshift),
        dataset.surroundings,
    )
    other = look_at(swapped, look, np.random.default_rng(1))
    np.testing.assert_array_equal(found.curves.flux_njy, other.curves.flux_njy)


def test_the_true_redshift_never_becomes_a_feature(dataset: LabelledLightCurves) -> None:
    """It moves the light curve; the feature is the host's, and there is none here."""
    names = ("host_redshift", "absolute_peak_r_mag", "rest_days_half_fall_r")
    found = examples_of(
        dataset, dict.fromkeys(LOOKS, 1.0), ("SN Ia", "SN II"), names, seed=0, host_share=1.0
    )
    assert len(found.rows) > 40
    assert np.isnan(found.rows).all()


def test_the_temperature_that_was_put_in_is_found() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 3)) * 2.0
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    label = (p.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    assert fitted_temperature(label, scores * 1.7) == pytest.approx(1.7, rel=0.03)


def test_log_loss_weighs_classes_not_objects() -> None:
    label = np.array([0, 0, 0, 1])
    p = np.array([[0.5, 0.5]] * 3 + [[0.75, 0.25]])
    expected = 0.5 * (np.log(2.0) + np.log(4.0))
    assert class_weighted_log_loss(label, p) == pytest.approx(expected)


def test_calibration_error_of_known_cases() -> None:
    truth = np.array([True] * 50 + [False] * 50)
    assert expected_calibration_error(truth, np.full(100, 0.5)) == pytest.approx(0.0)
    assert expected_calibration_error(truth, np.full(100, 0.9)) == pytest.approx(0.4)
    assert expected_calibration_error(truth, truth.astype(float)) == pytest.approx(0.0)


def of_classes(names: list[str]) -> Examples:
    n = len(names)
    return Examples(
        rows=np.zeros((n, 1), dtype=np.float32),
        is_sn_ia=np.array([name == "SN Ia" for name in names]),
        class_name=np.array(names),
        object_index=np.arange(n, dtype=np.int32),
        version=np.zeros(n, dtype=np.int8),
        days_since_first=np.zeros(n, dtype=np.float32),
        is_held_out=np.zeros(n, dtype=bool),
    )


@pytest.mark.parametrize(("exponent", "share_of_rare"), [(0.0, 0.25), (1.0, 0.5)])
def test_a_set_weighs_its_share_and_either_side_half_of_it(
    exponent: float, share_of_rare: float
) -> None:
    part = of_classes(["SN Ia"] * 6 + ["SN II"] * 3 + ["TDE"])
    found = weights(part, 1.5, exponent)
    assert found.sum() == pytest.approx(1.5)
    assert found[part.is_sn_ia].sum() == pytest.approx(0.75)
    assert found[-1] == pytest.approx(0.75 * share_of_rare)
    assert weights(of_classes(["SN Ia"] * 4), 0.1, 1.0).sum() == pytest.approx(0.1)


def test_rare_classes_are_looked_at_more_often(dataset: LabelledLightCurves) -> None:
    cut = Cut(alerts_per_object=2, versions=2, rare_versions={"SN II": 5})
    alerts = cut_alerts(dataset, cut, seed=1)
    is_sn_ia = dataset.truth.is_sn_ia[alerts.object_index]
    assert alerts.version[is_sn_ia].max() == 1
    assert alerts.version[~is_sn_ia].max() == 4


def test_a_moved_object_is_as_bright_as_one_of_a_bright_survey(
    dataset: LabelledLightCurves,
) -> None:
    curves = cut_alerts(dataset, Cut(alerts_per_object=50, versions=3), seed=1)
    greatest = np.array(
        [np.nanmax(curves.curves.flux_njy[a:b]) for a, b in pairwise(curves.curves.offsets)]
    )
    assert greatest[curves.version == 0].max() < 1_100.0
    moved = greatest[curves.version > 0].max()
    assert 5_000.0 < moved < 1.3 * 10 ** (-0.4 * (BRIGHTEST_MAG - 31.4))


def test_newest_alert_of_each_object_within_days() -> None:
    n = 5
    of = Examples(
        rows=np.zeros((n, 1), dtype=np.float32),
        is_sn_ia=np.zeros(n, dtype=bool),
        class_name=np.array(["a"] * n),
        object_index=np.array([1, 1, 1, 2, 2], dtype=np.int32),
        version=np.array([0, 0, 1, 0, 0], dtype=np.int8),
        days_since_first=np.array([1.0, 2.0, 5.0, 9.0, 3.0], dtype=np.float32),
        is_held_out=np.zeros(n, dtype=bool),
    )
    assert newest_by(of, 4.0).tolist() == [False, True, False, False, True]


@pytest.mark.shelf
@needs_shelf
@pytest.mark.parametrize("name", TRAINED)
def test_the_shipped_models_were_trained_on_this_data(name: str) -> None:
    folder = ModelShelf(MODELS, name).current()
    manifest = json.loads((folder / "model.json").read_text())["trained_on"]
    today = manifest_of(SHELF, manifest["datasets"])
    assert manifest["files"] == today["files"]
    assert manifest["sha256"] == today["sha256"]
