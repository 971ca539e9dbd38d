import numpy as np
import pytest

from services.classify.boosted_trees import Forest, probabilities_of
from services.classify.training.trees import class_weights, grow
from services.classify.training.unknown_fit import (
    hide,
    left_out_scores,
    space_of,
    weights_from,
    with_quantiles,
    with_weights,
)
from services.classify.unknown import UnknownScorer, doubts, ranks_among

TAXONOMY = ("a", "b", "c", "d", "e")


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Five clouds of points in six dimensions, one value in ten missing."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 5, 1_500).astype(np.int16)
    centres = 6.0 * rng.normal(size=(5, 6))
    rows = (centres[label] + rng.normal(size=(1_500, 6))).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows, label


def test_hidden_clouds_are_noticed(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    rows, label = clouds
    is_test = np.arange(len(label)) % 10 < 4
    seen = [hide(name, rows, label, is_test, TAXONOMY, 0) for name in ("a", "b", "c")]
    scores = left_out_scores(seen)
    assert set(scores) == {"a", "b", "c"}
    assert np.mean([auroc for auroc, _ in scores.values()]) > 0.85


def test_a_scorer_survives_being_stored_and_gives_probabilities(
    clouds: tuple[np.ndarray, np.ndarray],
) -> None:
    rows, label = clouds
    is_test = np.arange(len(label)) % 10 < 4
    trees = grow(rows, label, 5, class_weights(label, 5), seed=0, rounds=20)
    p = probabilities_of(Forest(trees).scores(rows))
    weights = weights_from([hide(n, rows, label, is_test, TAXONOMY, 0) for n in ("a", "b")])
    scorer = with_weights(with_quantiles(space_of(rows, label, 0), rows, p), weights)
    again = UnknownScorer.from_arrays(scorer.arrays())
    far = np.full((1, 6), 1e4, dtype=np.float32)
    here, there = again.probability(rows, p), again.probability(far, np.full((1, 5), 0.2))
    np.testing.assert_array_equal(here, scorer.probability(rows, p))
    assert np.all((here >= 0) & (here <= 1))
    assert there[0] > np.quantile(here, 0.9)


def test_doubt_is_greatest_where_all_classes_are_equal() -> None:
    entropy, rest = doubts(np.array([[0.25, 0.25, 0.25, 0.25], [1.0, 0.0, 0.0, 0.0]]))
    assert entropy == pytest.approx([1.0, 0.0])
    assert rest == pytest.approx([0.75, 0.0])


def test_ranks_run_from_none_to_all_and_a_little_beyond() -> None:
    quantiles = np.linspace(0.0, 10.0, 101)[np.newaxis, :]
    ranks = ranks_among(np.array([[-1.0], [0.0], [5.0], [10.0], [15.0]]), quantiles)
    assert ranks[:, 0] == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.5])
