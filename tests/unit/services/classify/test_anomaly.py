import numpy as np

from services.classify.classifiers.anomaly import BINS, ENOUGH, RecentScores
from services.classify.isolation import IsolationForest
from services.classify.training.anomaly import grown


def forest() -> tuple[IsolationForest, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(800, 6)).astype(np.float32)
    return grown(rows, seed=0), rows


def test_scores_are_those_of_scikit_learn() -> None:
    from sklearn.ensemble import IsolationForest as Theirs

    ours, rows = forest()
    theirs = Theirs(n_estimators=100, max_samples=256, random_state=0).fit(rows)
    np.testing.assert_allclose(ours.scores(rows)[0], -theirs.score_samples(rows), atol=2e-3)


def test_the_odd_one_is_found_and_explained_by_what_is_odd() -> None:
    ours, _ = forest()
    odd = np.zeros((1, 6), dtype=np.float32)
    odd[0, 3] = 9.0
    score, credit = ours.scores(odd)
    usual, _ = ours.scores(np.zeros((1, 6), dtype=np.float32))
    assert score[0] > usual[0] + 0.03
    assert credit[0].argmax() == 3


def test_missing_features_count_as_ordinary() -> None:
    ours, _ = forest()
    nothing = np.full((1, 6), np.nan, dtype=np.float32)
    assert ours.scores(nothing)[0] == ours.scores(ours.median[np.newaxis, :])[0]


def test_stored_forests_are_the_same() -> None:
    ours, rows = forest()
    again = IsolationForest.from_arrays(ours.arrays())
    np.testing.assert_array_equal(again.scores(rows)[0], ours.scores(rows)[0])


def test_percentiles_are_of_the_last_thirty_days() -> None:
    reference = np.zeros(BINS)
    reference[BINS // 2] = 100.0
    recent = RecentScores(reference)
    assert recent.percentile(np.array([0.4, 0.6])).tolist() == [0.0, 100.0]
    low = np.linspace(0.2, 0.3, ENOUGH)
    recent.add(low, np.full(ENOUGH, 60_000.0))
    assert recent.percentile(np.array([0.25]))[0] > 49.0
    assert recent.percentile(np.array([0.25]))[0] < 51.0
    recent.add(low + 0.5, np.full(ENOUGH, 60_031.0))  # a month later the old ones are forgotten
    assert recent.percentile(np.array([0.6]))[0] == 0.0
