import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from services.classify.boosted_trees import BoostedTrees, load_model
from services.classify.classifiers import CLASSIFIERS, MODELS, load_classifiers
from services.classify.features import NAMES, VERSION
from services.classify.training.export import trees_of


@pytest.fixture(scope="module")
def fitted() -> tuple[HistGradientBoostingClassifier, np.ndarray]:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(3_000, 8)).astype(np.float32)
    truth = rows[:, 0] * rows[:, 1] + rng.normal(size=3_000) > 0.3
    rows[rng.random(rows.shape) < 0.3] = np.nan
    model = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=0)
    with threadpool_limits(1):  # small work: threads would only wait for each other
        return model.fit(rows, truth), rows


def test_probabilities_are_those_of_scikit_learn(
    fitted: tuple[HistGradientBoostingClassifier, np.ndarray],
) -> None:
    model, rows = fitted
    theirs = model.predict_proba(rows)[:, 1]
    assert np.ptp(theirs) > 0.5
    np.testing.assert_allclose(trees_of(model).probability(rows), theirs, rtol=0, atol=1e-6)


def test_saved_trees_answer_the_same_and_same_trees_are_same_bytes(
    fitted: tuple[HistGradientBoostingClassifier, np.ndarray],
) -> None:
    model, rows = fitted
    trees = trees_of(model)
    again = BoostedTrees.from_bytes(trees.to_bytes())
    np.testing.assert_array_equal(again.probability(rows), trees.probability(rows))
    assert again.to_bytes() == trees.to_bytes()


def test_pickled_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trees.npz"
    np.savez(path, feature=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        BoostedTrees.from_bytes(path.read_bytes())


def test_shipped_models_are_what_their_cards_say() -> None:
    for classifier in load_classifiers():
        definition, card = classifier.definition, classifier.model.card
        assert classifier.model.features == definition.features
        assert set(definition.features) <= set(NAMES)
        assert card["classes"] == list(definition.taxonomy)
        assert {"seed", "trained_on", "made_with", "metrics", "limits", "prior"} <= set(card)
        folder = MODELS / definition.name
        assert sum(path.stat().st_size for path in folder.iterdir()) < 500_000


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_model_that_is_not_its_cards_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(MODELS / name, folder)
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(card | {"feature_version": "0"}))
    with pytest.raises(ValueError, match="train it again"):
        load_model(folder, VERSION)
    (folder / "model.json").write_text(json.dumps(card | {"id": "0" * 64}))
    with pytest.raises(ValueError, match="is not the model"):
        load_model(folder, VERSION)
