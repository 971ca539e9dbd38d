import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry

from services.classify.classifiers import CLASSIFIERS, load_classifiers
from services.classify.classifiers.base import REASONS, Classifier
from services.classify.classifiers.transient import (
    EXPLOSION_PRIOR_ON_VARIABLE_STAR,
    EXPLOSIONS,
)
from services.classify.classify import classify
from services.classify.features import STRUCT, VERSION
from services.classify.metrics import ClassifyMetrics
from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.light_curves.bands import DETECTION
from shared.schemas.alert import MATCHED
from shared.schemas.classification import TRANSIENT_CLASSES, VERDICTS, classified
from shared.testing.batches import made_up_batch
from shared.testing.light_curves import Point, batch_of_curves
from shared.testing.ztf_packets import batch_of, supernova_2021rhu

SHELF = Path(os.environ.get("TOCSIN_DATA", Path(__file__).parents[5] / "shared" / "data"))
SAMPLES = Path(__file__).parent / "samples"
YOUNG: list[Point] = [
    (60_000.0, "g", 2_000.0, 200.0, DETECTION),
    (60_000.1, "r", 1_900.0, 200.0, DETECTION),
    (60_003.0, "g", 5_000.0, 200.0, DETECTION),
    (60_003.1, "r", 4_500.0, 200.0, DETECTION),
]


@pytest.fixture(scope="module")
def classifiers() -> tuple[Classifier, ...]:
    return load_classifiers()


def verdict(batch: AlertBatch, classifiers: tuple[Classifier, ...]) -> dict[str, object]:
    found: dict[str, object] = classify(batch, classifiers).column("early_sn_ia")[0].as_py()
    return found


def with_match(batch: AlertBatch, **match: object) -> AlertBatch:
    matches = pa.array([[match]] * len(batch), MATCHED[0].type)
    latitude = pa.nulls(len(batch), pa.float32())
    return batch.with_columns({MATCHED[0]: matches, MATCHED[1]: latitude})


def set_column(batch: AlertBatch, name: str, values: list[object]) -> AlertBatch:
    at = batch.record_batch.schema.get_field_index(name)
    field = batch.record_batch.schema.field(at)
    return AlertBatch(batch.record_batch.set_column(at, field, pa.array(values, field.type)))


def samples() -> list[Any]:
    """Every sample of every classifier; what a model is known to miss must go on being missed."""
    cases = []
    for name in CLASSIFIERS:
        for sample in json.loads((SAMPLES / f"{name}.json").read_text()):
            missed = sample.get("missed")
            marks = [pytest.mark.xfail(reason=missed, strict=True)] if missed else []
            cases.append(pytest.param(name, sample, marks=marks, id=f"{name}-{sample['what']}"))
    return cases


@pytest.mark.parametrize(("name", "sample"), samples())
def test_every_classifier_has_samples_and_answers_them(
    name: str, sample: dict[str, Any], classifiers: tuple[Classifier, ...]
) -> None:
    batch = batch_of_curves([[tuple(point) for point in sample["light_curve"]]])
    (answer,) = classify(batch, classifiers).column(name).to_pylist()
    least, most = sample["probability_between"]
    assert least <= answer["probability"] <= most
    assert "class" not in sample or answer["class"] in sample["class"]


def test_columns_are_those_declared(classifiers: tuple[Classifier, ...]) -> None:
    batch = made_up_batch(100)
    result = classify(batch, classifiers)
    added = list(result.record_batch.schema)[len(batch.record_batch.schema) :]
    assert [
        f.equals(g, check_metadata=True) for f, g in zip(added, classified(STRUCT), strict=True)
    ]
    assert [f.name for f in VERDICTS] == [c.name for c in classifiers]
    for name in batch.record_batch.schema.names:
        assert result.column(name).equals(batch.column(name))
    assert result.column("feature_version").unique().to_pylist() == [VERSION]
    assert read_envelope(write_envelope(result)).record_batch.equals(result.record_batch)


def test_probability_or_reason_never_neither(classifiers: tuple[Classifier, ...]) -> None:
    result = classify(made_up_batch(500, seed=1), classifiers)
    for name in (*CLASSIFIERS, "real_bogus"):
        for answer in result.column(name).to_pylist():
            assert answer["reason"] in REASONS
            given = {k: v for k, v in answer.items() if k not in {"reason", "model_version"}}
            assert {v is not None for v in given.values()} == {answer["reason"] == "ok"}
            assert len(answer["model_version"]) == 12 or name == "real_bogus"
    for answer in result.column("transient").to_pylist():
        if answer["reason"] == "ok":
            classes = answer["probabilities"]
            assert sum(classes.values()) == pytest.approx(1.0, abs=1e-5)
            assert max(classes.values()) == answer["probability"]
            assert classes[dict(map(reversed, TRANSIENT_CLASSES))[answer["class"]]] == max(
                classes.values()
            )
            assert 0.0 <= answer["p_unknown"] <= 1.0
    for answer in result.column("anomaly").to_pylist():
        assert (answer["percentile"] is not None) == (answer["reason"] == "ok")
        assert answer["features"] is None or len(set(answer["features"])) == 5


def test_an_empty_batch(classifiers: tuple[Classifier, ...]) -> None:
    assert len(classify(made_up_batch(5).slice(0, 0), classifiers)) == 0


def test_batching_changes_nothing(classifiers: tuple[Classifier, ...]) -> None:
    batch = made_up_batch(60, seed=2)
    whole = classify(batch, classifiers)
    parts = [classify(batch.slice(k, 20), classifiers) for k in (0, 20, 40)]
    for field in VERDICTS:
        if field.name != "anomaly":  # ranked among the alerts before
            joined = pa.concat_arrays([part.column(field.name) for part in parts])
            assert joined.equals(whole.column(field.name)), field.name


def test_answers_for_a_young_transient(classifiers: tuple[Classifier, ...]) -> None:
    assert verdict(batch_of_curves([YOUNG]), classifiers)["reason"] == "ok"


@pytest.mark.parametrize(
    ("curve", "reason"),
    [
        (YOUNG[:2], "too_few_points"),
        ([YOUNG[0], YOUNG[1], (60_000.2, "g", 2_100.0, 200.0, DETECTION)], "too_few_points"),
        ([*YOUNG, (60_025.5, "g", 5_000.0, 200.0, DETECTION)], "too_old"),
        ([*YOUNG, (60_004.0, "g", -2_000.0, 200.0, DETECTION)], "negative_flux"),
    ],
)
def test_abstains_where_the_light_curve_does_not_allow_it(
    curve: list[Point], reason: str, classifiers: tuple[Classifier, ...]
) -> None:
    answer = verdict(batch_of_curves([curve]), classifiers)
    assert (answer["probability"], answer["reason"]) == (None, reason)


def test_abstains_for_solar_system_bodies(classifiers: tuple[Classifier, ...]) -> None:
    batch = set_column(batch_of_curves([YOUNG]), "is_solar_system", [True])
    assert verdict(batch, classifiers)["reason"] == "solar_system"


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        (
            {"catalog": "vsx", "source_class": "RRAB", "separation_arcsec": 0.5},
            "variable_star_match",
        ),
        (
            {"catalog": "gcvs", "source_class": None, "separation_arcsec": 0.5},
            "variable_star_match",
        ),
        ({"catalog": "vsx", "source_class": "RRAB", "separation_arcsec": 2.5}, "ok"),
        ({"catalog": "vsx", "source_class": "SN:", "separation_arcsec": 0.5}, "ok"),
        ({"catalog": "openngc", "source_class": "G", "separation_arcsec": 0.5}, "ok"),
    ],
)
def test_variable_star_matches(
    match: dict[str, object], reason: str, classifiers: tuple[Classifier, ...]
) -> None:
    batch = with_match(batch_of_curves([YOUNG]), **match)
    assert verdict(batch, classifiers)["reason"] == reason


def supernova() -> tuple[AlertBatch, npt.NDArray[np.int8]]:
    """One that ``transient`` calls so from its light curve, and which classes are explosions."""
    curve = json.loads((SAMPLES / "transient.json").read_text())[0]["light_curve"]
    members = np.isin([name for _, name in TRANSIENT_CLASSES], EXPLOSIONS).astype(np.int8)
    return batch_of_curves([[tuple(point) for point in curve]]), members


def probabilities_of(answers: pa.StructArray) -> npt.NDArray[np.float64]:
    """Shape (n, classes)."""
    return np.array([list(a["probabilities"].values()) for a in answers.to_pylist()])


def test_a_known_variable_star_is_no_supernova(classifiers: tuple[Classifier, ...]) -> None:
    batch, explodes = supernova()
    star = {"catalog": "vsx", "source_class": "EW", "separation_arcsec": 0.3}
    alone = classify(batch, classifiers).column("transient")
    matched = classify(with_match(batch, **star), classifiers).column("transient")
    weighed = probabilities_of(alone) * np.where(explodes, EXPLOSION_PRIOR_ON_VARIABLE_STAR, 1.0)
    expected = weighed / weighed.sum()
    np.testing.assert_allclose(probabilities_of(matched), expected, rtol=1e-4, atol=1e-7)
    assert alone[0]["class"].as_py() == "SN Ia"
    assert matched[0]["class"].as_py() not in EXPLOSIONS
    assert matched[0]["probability"].as_py() == pytest.approx(expected.max(), rel=1e-4)
    assert matched[0]["p_unknown"] == alone[0]["p_unknown"]


def test_without_a_variable_star_the_light_curve_has_the_say(
    classifiers: tuple[Classifier, ...],
) -> None:
    batch, _ = supernova()
    alone = classify(batch, classifiers).column("transient")
    for catalog, separation in (("openngc", 0.3), ("vsx", 2.5)):
        match = {"catalog": catalog, "source_class": "G", "separation_arcsec": separation}
        assert classify(with_match(batch, **match), classifiers).column("transient").equals(alone)


def test_matches_belong_to_their_own_alert(classifiers: tuple[Classifier, ...]) -> None:
    star = {"catalog": "vsx", "source_class": "M", "separation_arcsec": 0.1}
    batch = batch_of_curves([YOUNG] * 5)
    lists = pa.array([None, [], [star, star], [], [star]], MATCHED[0].type)
    batch = batch.with_columns({MATCHED[0]: lists, MATCHED[1]: pa.nulls(5, pa.float32())})
    for part, expected in ((batch, [0, 0, 1, 0, 1]), (batch.slice(1, 3), [0, 1, 0])):
        answers = classify(part, classifiers).column("early_sn_ia").to_pylist()
        vetoed = [answer["reason"] == "variable_star_match" for answer in answers]
        assert vetoed == [bool(e) for e in expected]


def test_the_surveys_score_passes_through(classifiers: tuple[Classifier, ...]) -> None:
    batch = set_column(batch_of_curves([YOUNG, YOUNG]), "reliability", [0.75, None])
    answers = classify(batch, classifiers).column("real_bogus").to_pylist()
    assert [a["probability"] for a in answers] == [0.75, None]
    assert [a["reason"] for a in answers] == ["ok", "not_scored"]


def test_metrics_count_reasons(classifiers: tuple[Classifier, ...]) -> None:
    registry = CollectorRegistry()
    metrics = ClassifyMetrics(registry)
    metrics.count(classify(batch_of_curves([YOUNG, YOUNG[:2], YOUNG]), classifiers))
    labels = {"classifier": "early_sn_ia", "reason": "ok"}
    assert registry.get_sample_value("tocsin_classify_verdicts_total", labels) == 2


@pytest.mark.shelf
@pytest.mark.skipif(not (SHELF / "ztf").is_dir(), reason="TOCSIN_DATA has no ztf/")
def test_sn_2021rhu_is_called_a_type_ia_in_its_first_week(
    classifiers: tuple[Classifier, ...],
) -> None:
    assert answers_for_sn_2021rhu(classifiers)[2:5].min() > 0.7


@pytest.mark.shelf
@pytest.mark.skipif(not (SHELF / "ztf").is_dir(), reason="TOCSIN_DATA has no ztf/")
def test_sn_2021rhu_is_called_a_type_ia_from_its_third_point_on(
    classifiers: tuple[Classifier, ...],
) -> None:
    assert np.nanmin(answers_for_sn_2021rhu(classifiers)) > 0.6


def answers_for_sn_2021rhu(classifiers: tuple[Classifier, ...]) -> npt.NDArray[np.float32]:
    """Probability at each of its 34 alerts, NaN where the classifier abstains, as it must."""
    batch = supernova_2021rhu(SHELF)
    assert len(batch) == 34
    answers = classify(batch, classifiers).column("early_sn_ia")
    reasons = answers.field("reason").to_pylist()
    assert reasons == ["too_few_points"] * 2 + ["ok"] * 9 + ["too_old"] * 23
    probability = answers.field("probability").to_numpy(zero_copy_only=False)
    return np.asarray(probability)


@pytest.mark.long
@pytest.mark.shelf
@pytest.mark.skipif(not (SHELF / "ztf").is_dir(), reason="TOCSIN_DATA has no ztf/")
def test_real_variable_stars_are_not_called_supernovae(classifiers: tuple[Classifier, ...]) -> None:
    """A real night, judged without cross-match: light curves alone."""
    batch, matches = real_night()
    is_star = np.array([bool(one) for one in matches])
    answers = classify(batch, classifiers).column("early_sn_ia")
    probability = answers.field("probability").to_numpy(zero_copy_only=False)
    of_stars = probability[is_star & ~np.isnan(probability)]
    assert len(of_stars) >= 20
    assert np.max(of_stars) < 0.75
    assert np.mean(of_stars > 0.5) <= 0.15


@pytest.mark.long
@pytest.mark.shelf
@pytest.mark.skipif(not (SHELF / "ztf").is_dir(), reason="TOCSIN_DATA has no ztf/")
def test_in_the_stream_no_variable_star_is_a_supernova(classifiers: tuple[Classifier, ...]) -> None:
    """The same night with its matches; what has none is as it was."""
    batch, matches = real_night()
    lists = pa.array(matches, MATCHED[0].type)
    latitude = pa.nulls(len(batch), pa.float32())
    matched = batch.with_columns({MATCHED[0]: lists, MATCHED[1]: latitude})
    alone = classify(batch, classifiers).column("transient")
    joined = classify(matched, classifiers).column("transient")
    is_star = pa.array([bool(one) for one in matches])
    classes = [c for c in joined.filter(is_star).field("class").to_pylist() if c is not None]
    assert len(classes) >= 150
    assert not set(classes) & set(EXPLOSIONS)
    assert joined.filter(pc.invert(is_star)).equals(alone.filter(pc.invert(is_star)))


def real_night() -> tuple[AlertBatch, list[list[dict[str, object]]]]:
    """The 849 alerts of a night, and for each its stars of VSX within 2 arcsec."""
    night = pq.read_table(SHELF / "ztf" / "night_20240115_849_no_cutouts.parquet").to_pylist()
    batch = batch_of(night)
    stars = pq.read_table(SHELF / "catalogs" / "vsx_subset_10arcmin_of_alerts.parquet")
    ra, dec = (stars[name].to_numpy().astype(float) for name in ("RAJ2000", "DEJ2000"))
    types = stars["VType"].to_pylist()
    matches: list[list[dict[str, object]]] = []
    for a, d in zip(batch.ra_deg, batch.dec_deg, strict=True):
        away = np.hypot((ra - a) * np.cos(np.radians(d)), dec - d) * 3600.0
        near = np.flatnonzero(away < 2.0).tolist()
        matches.append(
            [
                {"catalog": "vsx", "source_class": types[k], "separation_arcsec": float(away[k])}
                for k in near
            ]
        )
    return batch, matches
