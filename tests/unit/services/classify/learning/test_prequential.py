"""Prequential judging and drift: nothing is known before its time."""

from dataclasses import replace

import numpy as np
import pytest

from services.classify.learning.benchmark import split, static_score, stream_score, way_of
from services.classify.learning.causal import LABEL_DELAY_DAYS, STEP_DAYS, play, season_of
from services.classify.learning.drift import ErrorDrift, feature_drift
from services.classify.learning.prequential import run
from services.classify.training.datasets.base import (
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from tests.unit.services.classify.learning.streams import blobs


class Recorder:
    """Notes how many labels it had when it was asked."""

    def __init__(self):
        self.taught, self.known_when_asked = 0, []

    def learn(self, rows, label):
        self.taught += len(label)

    def probabilities(self, rows):
        self.known_when_asked += [self.taught] * len(rows)
        return np.full((len(rows), 3), 1 / 3)


@pytest.mark.parametrize(("chunk", "delay"), [(1, 0), (10, 0), (7, 30), (1, 25), (100, 10)])
def test_an_answer_knows_no_label_of_its_chunk_or_of_the_delay(chunk, delay):
    stream, model = blobs(120), Recorder()
    result = run(model, stream, chunk=chunk, delay=delay)
    known = np.array(model.known_when_asked)
    start = np.arange(120) // chunk * chunk
    assert (known <= np.maximum(start - delay, 0)).all()
    assert known[-1] > 0
    assert model.taught == 120
    assert not result.is_judged[:chunk].any()


def test_a_hold_out_is_never_played():
    stream = blobs(900)
    played, held = split(stream, 1)
    assert not set(played.object_id) & set(held.object_id)
    assert 0.2 < len(held) / 900 < 0.3
    assert set(split(stream, 2)[1].object_id) != set(held.object_id)


@pytest.mark.long
def test_scores_of_an_easy_stream_are_high_in_every_way():
    stream = blobs(240)
    for way in ("batch", "delayed", "example"):
        score = stream_score(stream, "logistic", way, 0)
        assert score.accuracy > 0.7
        assert score.hold_out_accuracy > 0.7
    assert static_score(blobs(900), "trees", 0).hold_out_macro_f1 > 0.8
    assert way_of("delayed", 900) == (22, 112)


def test_error_drift_rings_when_the_errors_grow_and_not_before():
    rng, detector = np.random.default_rng(0), ErrorDrift()
    label = np.zeros(1_500, dtype=np.int64)
    p = np.where(rng.random(1_500) < 0.9, 0.9, 0.1)
    p[800:] = np.where(rng.random(700) < 0.5, 0.9, 0.1)
    found = np.stack([p, 1 - p], axis=1)
    assert detector.add(label[:800], found[:800]) == []
    assert "error" in detector.add(label[800:], found[800:])
    assert detector.alarms[0][0] >= 800


def test_feature_drift_names_the_feature_that_moved_or_went_missing():
    rng = np.random.default_rng(0)
    old, new = (rng.normal(size=(2_000, 3)).astype(np.float32) for _ in range(2))
    quiet = feature_drift(old, new, ("a", "b", "c"))
    assert not any(one.is_alarm for one in quiet)
    new[:, 1] += 1.0
    new[:1_000, 2] = np.nan
    drift = {one.name: one for one in feature_drift(old, new, ("a", "b", "c"))}
    assert drift["b"].is_alarm
    assert drift["b"].ks == pytest.approx(0.38, abs=0.05)
    assert drift["c"].psi > 0.25
    assert drift["a"].psi < 0.05


class TestCausal:
    def dataset(self, n=30, seed=0):
        rng = np.random.default_rng(seed)
        keys = np.repeat(np.arange(n), 24)
        mjd = 60_000.0 + np.tile(np.arange(24) * 3.0, n) + 0.3 + keys * 2.0
        flux = 2_000.0 * np.exp(-0.5 * ((np.tile(np.arange(24), n) - 8) / 5.0) ** 2)
        _, curves = grouped(
            keys,
            {
                "mjd_tai": mjd, "flux_njy": flux * rng.normal(1, 0.05, len(flux)),
                "flux_err_njy": np.full(len(flux), 60.0), "band": np.arange(len(flux)) % 3 + 1,
            },
        )  # fmt: skip
        names = np.array(["SN Ia", "SN II", "SN Ibc"])[np.arange(n) % 3]
        truth = Truth(np.arange(n).astype(str), names, names == "SN Ia", np.full(n, 0.1))
        return LabelledLightCurves("made", curves, truth, Surroundings.unknown(n))

    def test_an_alert_is_described_by_its_past_alone(self):
        dataset = self.dataset()
        season = season_of(dataset)
        k = len(season.owner) // 3
        curves = dataset.curves
        future = curves.mjd_tai > season.mjd[k]
        flux = np.where(future, 9e9, curves.flux_njy).astype(np.float32)
        changed = replace(dataset, curves=replace(curves, flux_njy=flux))
        again = season_of(changed)
        own = (season.owner == season.owner[k]) & (season.mjd <= season.mjd[k])
        theirs = (again.owner == season.owner[k]) & (again.mjd <= season.mjd[k])
        assert np.array_equal(season.rows[own], again.rows[theirs], equal_nan=True)

    def test_no_label_is_told_before_its_delay_nor_of_the_hold_out(self):
        season = season_of(self.dataset())
        taught = []

        class Listener(Recorder):
            def learn(self, rows, label):
                taught.append((rows, len(self.known_when_asked)))

        is_held = np.arange(30) >= 20
        found, *_ = play(Listener(), season, is_held, 0)
        assert len(found) == len(season.owner)
        assert taught
        first = min(asked for _, asked in taught)
        assert season.mjd[first] >= season.mjd[0] + LABEL_DELAY_DAYS - STEP_DAYS
        held_rows = season.rows[is_held[season.owner]]
        learnt = np.concatenate([rows for rows, _ in taught])
        seen = {row.tobytes() for row in np.nan_to_num(learnt)}
        assert not any(row.tobytes() in seen for row in np.nan_to_num(held_rows))
