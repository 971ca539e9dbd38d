"""The forest: scikit-learn's own numbers, honest distributions, files that are checked."""

from __future__ import annotations

import json

import numpy as np
import pytest

from services.xmatch.photoz.features import feature_rows
from services.xmatch.photoz.forest import (
    CARD_FILE,
    FOREST_FILE,
    LEVELS,
    MEDIAN,
    PhotoZModelError,
    load_model,
    save_model,
)
from services.xmatch.photoz.scores import crps_of, pit_of, scores_of
from services.xmatch.photoz.training import _forest_of, train_forest


def test_leaves_are_those_of_scikit_learn(made_up):
    from sklearn.ensemble import RandomForestRegressor

    _, rows, redshift = made_up
    model = RandomForestRegressor(7, min_samples_leaf=5, random_state=2, bootstrap=False)
    model.fit(rows[:2000], redshift[:2000])
    forest = _forest_of(model, rows[:2000], redshift[:2000], rows[:2000])
    # The mean of the distribution is the forest's prediction: same trees, same leaves.
    fine = np.linspace(0.0005, 0.9995, 4000)
    mean = forest.quantiles(rows[2000:], fine).mean(axis=1)
    assert mean == pytest.approx(model.predict(rows[2000:]), abs=2e-3)


def test_distributions_are_good_and_honest(made_up, forest):
    _, rows, redshift = made_up
    held = slice(3000, None)
    quantiles = forest.quantiles(rows[held])
    assert np.all(np.diff(quantiles, axis=1) >= 0)
    scores = scores_of(quantiles, redshift[held])
    assert abs(scores["bias"]) < 0.01
    assert scores["nmad"] < 0.06
    assert scores["outlier_fraction"] < 0.12
    assert scores["pit_ks"] < 0.08
    assert abs(scores["coverage_68"] - 0.68) < 0.06
    assert scores["crps"] < 0.8 * scores["crps_point"]


def test_a_missing_band_widens_and_does_not_break(made_up, forest, bands):
    columns, rows, redshift = made_up
    lost = {**columns, "u_mag": np.full(len(redshift), np.nan)}
    without, known = feature_rows(lost, bands)
    assert known.max() == 4
    here = slice(3000, None)
    whole, less = forest.quantiles(rows[here]), forest.quantiles(without[here])
    assert np.isfinite(less).all()
    widths = [np.median(q[:, -4] - q[:, 3]) for q in (whole, less)]
    assert widths[1] > widths[0]


def test_the_same_seed_gives_the_same_forest(made_up, bands):
    _, rows, redshift = made_up
    one, two = (train_forest(rows[:800], redshift[:800], len(bands), trees=3) for _ in range(2))
    assert one.to_bytes() == two.to_bytes()


def test_too_few_galaxies_are_refused(made_up, bands):
    _, rows, redshift = made_up
    with pytest.raises(ValueError, match="too few"):
        train_forest(rows[:100], redshift[:100], len(bands))


def test_a_model_is_kept_and_checked(tmp_path, made_up, forest, bands):
    version = save_model(tmp_path / "m", forest, {"bands": bands, "catalogs": ["photo"]})
    model = load_model(tmp_path / "m")
    assert (model.version, model.bands, model.catalogs) == (version, tuple(bands), ("photo",))
    rows = made_up[1][3000:3010]
    assert np.array_equal(model.forest.quantiles(rows), forest.quantiles(rows))
    content = bytearray((tmp_path / "m" / FOREST_FILE).read_bytes())
    content[-1] ^= 1
    (tmp_path / "m" / FOREST_FILE).write_bytes(content)
    with pytest.raises(PhotoZModelError, match="not the forest"):
        load_model(tmp_path / "m")
    card = json.loads((tmp_path / "m" / CARD_FILE).read_text())
    (tmp_path / "m" / CARD_FILE).write_text(json.dumps({**card, "format": 99}))
    with pytest.raises(PhotoZModelError, match="format 99"):
        load_model(tmp_path / "m")
    with pytest.raises(PhotoZModelError, match="tocsin photoz train"):
        load_model(tmp_path / "nothing")


def test_scores_of_known_distributions():
    rng = np.random.default_rng(4)
    stats = pytest.importorskip("scipy.stats")
    truth = rng.normal(1.0, 0.1, 4000)
    right = np.tile(stats.norm.ppf(LEVELS, 1.0, 0.1), (4000, 1))
    scores = scores_of(right, truth)
    assert scores["pit_ks"] < 0.03
    assert scores["coverage_68"] == pytest.approx(0.68, abs=0.03)
    # The mean CRPS of a Gaussian that is right is sigma / sqrt(pi).
    assert scores["crps"] == pytest.approx(0.1 / np.pi**0.5, rel=0.03)
    assert scores["nmad"] == pytest.approx(0.05, rel=0.1)
    narrow = scores_of(np.tile(stats.norm.ppf(LEVELS, 1.0, 0.02), (4000, 1)), truth)
    assert narrow["pit_ks"] > 0.2
    assert narrow["crps"] > scores["crps"]
    off = scores_of(right + 0.5, truth)
    assert off["outlier_fraction"] > 0.9
    assert off["bias"] == pytest.approx(0.25, abs=0.01)


def test_pit_and_crps_of_one_galaxy():
    quantiles = np.linspace(0, 1, len(LEVELS))[None, :]
    assert pit_of(quantiles, quantiles[:, MEDIAN])[0] == pytest.approx(0.5)
    assert pit_of(quantiles, np.array([9.0]))[0] > 0.99
    sure = np.full((1, len(LEVELS)), 0.3)
    assert crps_of(sure, np.array([0.5]))[0] == pytest.approx(0.2, rel=0.02)
