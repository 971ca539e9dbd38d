"""Query strategies, budgets, merit: what is asked for, and what it is worth."""

import numpy as np
import pytest

from services.classify.learning.active.merit import merit
from services.classify.learning.active.nights import Nights, exposure_s
from services.classify.learning.active.pool import pool_of
from services.classify.learning.active.strategies import (
    STRATEGIES,
    Opinions,
    diverse,
    expected_change,
    mutual_information,
    within_budget,
)
from services.classify.training.datasets.base import (
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from services.classify.verbs.learn import replay

SURE, TORN = [0.98, 0.02], [0.5, 0.5]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_prefers_what_the_committee_does_not_know(name):
    members = np.array([[SURE, [0.9, 0.1]], [SURE, [0.1, 0.9]]])
    scores = STRATEGIES[name](Opinions(members))
    assert scores[1] > scores[0]
    assert ((scores >= -1e-9) & (scores <= 1 + 1e-9)).all()


def test_mutual_information_tells_doubt_from_noise():
    noise = np.array([[TORN], [TORN]])
    doubt = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert mutual_information(Opinions(noise))[0] == pytest.approx(0.0, abs=1e-9)
    assert mutual_information(Opinions(doubt))[0] == pytest.approx(1.0, abs=1e-6)


def test_a_verdict_that_moved_is_worth_asking():
    now = np.array([[SURE, SURE]])
    before = np.array([[0.1, 0.9], SURE])
    scores = expected_change(Opinions(now, before))
    assert scores[0] > scores[1] + 0.3


def test_diverse_picks_are_apart_and_good():
    rng = np.random.default_rng(0)
    places = np.concatenate([rng.normal(0, 0.01, (50, 2)), rng.normal(5, 0.01, (50, 2))])
    scores = np.concatenate([np.full(50, 1.0), np.full(50, 0.9)])
    chosen = diverse(scores, places, 2, pool=50)
    assert {int(k) // 50 for k in chosen} == {0, 1}
    assert len(set(diverse(scores, places, 40).tolist())) == 40


def test_a_budget_is_kept_and_what_is_endless_never_taken():
    scores = np.array([1.0, 0.9, 0.8, 5.0])
    cost = np.array([6.0, 5.0, 4.0, np.inf])
    assert within_budget(scores, cost, 10.0, power=0.0).tolist() == [0, 2]
    assert within_budget(scores, cost, 10.0, power=1.0).tolist() == [2, 1]
    assert within_budget(scores, cost, 1.0).tolist() == []


def test_exposure_grows_as_the_sky_wins():
    nights = Nights(way="active", overhead_s=0.0)
    one, two = exposure_s(np.array([20.0, 21.25]), nights)
    assert two == pytest.approx(10 * one)
    assert np.isinf(exposure_s(np.array([27.0, np.nan]), nights)).all()


def test_merit_counts_a_wrong_one_three_times():
    p = np.array([0.9, 0.9, 0.9, 0.1])
    found = merit(p, np.array([True, True, False, True]))
    assert found.efficiency == pytest.approx(2 / 3)
    assert found.purity == pytest.approx(2 / 3)
    assert found.figure_of_merit == pytest.approx(2 / 3 * 2 / 5)
    assert merit(np.zeros(3), np.ones(3, bool)).figure_of_merit == 0.0


def test_a_season_without_spectra_starts_from_ten_objects(tmp_path, capsys):
    chosen = replay._parser().parse_args(["--season", "plasticc"])
    replay._complete(chosen, has_spectra=False)
    assert (chosen.start, chosen.strategies) == ("ten", ["random", "uncertainty"])
    with pytest.raises(ValueError, match="no spectroscopic sample"):
        replay._complete(
            replay._parser().parse_args(["--start", "spectroscopic"]), has_spectra=False
        )
    chosen = replay._parser().parse_args([])
    replay._complete(chosen, has_spectra=True)
    assert (chosen.start, chosen.strategies[1]) == ("spectroscopic", "canonical")
    assert replay.main(["--season", "plasticc", "--data", str(tmp_path)]) == 2
    assert "is missing" in capsys.readouterr().err


def test_a_pool_splits_without_its_spectroscopic_sample():
    n = 40
    curves = made_up_curves(n)
    truth = Truth(np.arange(n).astype(str), np.full(n, "SN"), np.arange(n) % 2 == 0, np.zeros(n))
    dataset = LabelledLightCurves("made up", curves, truth, Surroundings.unknown(n))
    one = pool_of(dataset, np.arange(n) < 10, test_objects=7)
    test, free = one.split(0)
    assert len(test) == 7
    assert sorted(np.concatenate([test, free]).tolist()) == list(range(10, n))
    assert np.isfinite(one.rows).all()


def made_up_curves(n):
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(n), 12)
    columns = {
        "mjd_tai": np.tile(np.arange(12.0), n), "flux_njy": rng.uniform(5e3, 2e4, 12 * n),
        "flux_err_njy": np.full(12 * n, 500.0), "band": np.tile([1, 2, 3, 4], 3 * n),
    }  # fmt: skip
    return grouped(owner, columns)[1]
