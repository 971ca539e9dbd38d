import json
import shutil
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from services.classify.boosted_trees import BoostedTrees, Forest, probabilities_of
from services.classify.classifiers import CLASSIFIERS, MODELS, TRAINED, load_classifiers
from services.classify.features import NAMES, VERSION
from services.classify.features.paczynski import NAMES as LENS_NAMES
from services.classify.model import arrays_from_bytes, arrays_to_bytes, load_model
from services.classify.model_registry import ModelShelf
from services.classify.training.export import trees_of
from services.classify.training.trees import averaged, grow

Fitted = tuple[lightgbm.Booster, np.ndarray]


def fitted(classes: int) -> Fitted:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2_000, 8)).astype(np.float32)
    score = rows[:, 0] * rows[:, 1] + rng.normal(size=2_000)
    label = np.digitize(score, np.linspace(-0.5, 0.7, classes - 1))
    rows[rng.random(rows.shape) < 0.3] = np.nan
    rows[:, 7] = np.nan_to_num(rows[:, 7])  # never missing in training
    objective = {"objective": "binary"} if classes == 2 else {}
    if classes > 2:
        objective = {"objective": "multiclass", "num_class": classes}
    settings = {"num_leaves": 15, "verbose": -1, "num_threads": 1, "seed": 0, **objective}
    return lightgbm.train(settings, lightgbm.Dataset(rows, label), 30), rows


@pytest.mark.parametrize("classes", [2, 3])
def test_averaged_fits_give_the_mean_of_their_scores(classes: int) -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(500, 4)).astype(np.float32)
    label = np.digitize(rows[:, 0] + rng.normal(size=500), np.linspace(-0.5, 0.5, classes - 1))
    fits = [grow(rows, label, classes, np.ones(500), seed=k, rounds=5 + k) for k in range(3)]
    scores = [Forest(one).scores(rows) for one in fits]
    assert np.abs(scores[0] - scores[1]).max() > 0.01
    joined = averaged(fits)
    joined.check()
    np.testing.assert_allclose(Forest(joined).scores(rows), np.mean(scores, axis=0), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_are_those_of_lightgbm(classes: int) -> None:
    booster, rows = fitted(classes)
    rows[::3, 7] = np.nan  # missing where training saw none
    theirs = booster.predict(rows)
    ours = probabilities_of(Forest(trees_of(booster)).scores(rows))
    assert np.ptp(theirs) > 0.5
    np.testing.assert_allclose(ours[:, 0] if classes == 2 else ours, theirs, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.sum(axis=1), 1.0, atol=1e-12)


def test_saved_trees_answer_the_same_and_same_trees_are_same_bytes() -> None:
    booster, rows = fitted(4)
    trees = trees_of(booster)
    content = arrays_to_bytes(trees.arrays())
    again = BoostedTrees.from_arrays(arrays_from_bytes(content))
    np.testing.assert_array_equal(Forest(again).scores(rows), Forest(trees).scores(rows))
    assert arrays_to_bytes(again.arrays()) == content


def test_a_temperature_above_one_lessens_confidence_and_changes_no_order() -> None:
    scores = np.array([[2.0, 0.0, -1.0]])
    cold, warm = probabilities_of(scores.copy()), probabilities_of(scores.copy(), 2.0)
    assert cold[0, 0] > warm[0, 0] > warm[0, 1] > warm[0, 2]


def test_pickled_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez(path, **{"trees.feature": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle"):
        arrays_from_bytes(path.read_bytes())


@pytest.mark.parametrize("broken", ["left", "feature"])
def test_trees_that_lead_astray_are_refused(broken: str) -> None:
    arrays = {k: v.copy() for k, v in trees_of(fitted(2)[0]).arrays().items()}
    if broken == "left":
        arrays["trees.left"][0] = 30_000
    else:
        arrays["trees.feature"][0] = -7
    with pytest.raises(ValueError, match="broken"):
        BoostedTrees.from_arrays(arrays)


def test_too_few_features_are_refused() -> None:
    forest = Forest(trees_of(fitted(2)[0]))
    with pytest.raises(ValueError, match="features"):
        forest.scores(np.zeros((3, 2), dtype=np.float32))


def test_shipped_models_are_what_their_cards_say() -> None:
    assert len(load_classifiers()) == len(TRAINED) + 2  # rate and real_bogus have no model
    for name in TRAINED:
        folder = ModelShelf(MODELS, name).current()
        model = load_model(folder, VERSION)
        assert folder.name == model.version
        assert set(model.features) <= {*NAMES, *LENS_NAMES}
        if name in CLASSIFIERS:
            assert model.classes == CLASSIFIERS[name].taxonomy
            assert model.features == CLASSIFIERS[name].features
        assert {"seed", "trained_on", "made_with", "metrics", "limits", "prior"} <= set(model.card)
        assert model.card["every"] == 1
        assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000


@pytest.mark.parametrize("name", TRAINED)
def test_a_model_that_is_not_its_cards_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(ModelShelf(MODELS, name).current(), folder)
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | {"feature_version": "0"}))
    with pytest.raises(ValueError, match="train it again"):
        load_model(folder, VERSION)
    (folder / "model.json").write_text(json.dumps(card | {"id": "0" * 64}))
    with pytest.raises(ValueError, match="is not the model"):
        load_model(folder, VERSION)
