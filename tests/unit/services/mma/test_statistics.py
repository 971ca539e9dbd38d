from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest

from services.mma.candidates import Candidates
from services.mma.correlator import Correlator
from services.mma.notices import read_notice
from services.mma.skymaps.fisher import error_circle
from services.mma.statistics import chance, factors, raven
from services.mma.statistics.alert_density import AlertDensity
from services.mma.statistics.fink_legacy import ZTF_SKY_FRACTION, fink_legacy
from shared.sky.healpix import healpix29_of
from shared.testing.notices import lvk_json, voevent
from shared.testing.placed_alerts import alerts_at

EVENT_TAI = 60324.0 + 37 / 86400
A = np.array


def test_time_counts_only_between_non_detection_and_detection():
    delay = factors.Delay(uniform_days=((0.0, 3.0),))

    def ln_b(unseen, seen):
        return factors.ln_temporal(delay, A([10.0]), A([unseen]), A([seen]), A([9.0]), A([24.0]))[0]

    # All of [t_u, t_d] within the three days: density 1/3 against 1/15.
    assert ln_b(10.5, 11.5) == pytest.approx(np.log(15 / 3))
    assert ln_b(9.5, 10.5) == pytest.approx(np.log(15 / 3 * 0.5))
    assert ln_b(14.0, 15.0) == factors.LN_IMPOSSIBLE
    assert ln_b(8.0, 9.5) == factors.LN_IMPOSSIBLE
    # No non-detection: the window's start stands for it, the least that can be said.
    assert ln_b(np.nan, 11.0) == pytest.approx(np.log(15 * (1 / 3) / 2))


@pytest.mark.parametrize("messenger", factors.DELAYS)
def test_delays_are_distributions(messenger):
    delay = factors.DELAYS[messenger]
    grid = delay.cdf(np.linspace(-400, 400, 9001))
    assert (grid[0], grid[-1]) == (0.0, 1.0)
    assert np.all(np.diff(grid) >= 0)


def test_distance_factor_is_the_integral():
    mu, sigma, norm, host, error = 150.0, 40.0, 4.0e-5, 120.0, 15.0

    def gauss(r, m, s):
        return math.exp(-0.5 * ((r - m) / s) ** 2) / s / math.sqrt(2 * math.pi)

    event = quad(lambda r: norm * r**2 * gauss(r, mu, sigma) * gauss(r, host, error), 0, 600)[0]
    volume = factors.FARTHEST_HOST_MPC**3 / 3
    any_host = quad(lambda r: r**2 / volume * gauss(r, host, error), 0, 600)[0]
    found = factors.ln_distance(A([mu]), A([sigma]), A([norm]), A([host]), A([error]))
    assert found[0] == pytest.approx(np.log(event / any_host), abs=1e-6)
    unknown = factors.ln_distance(A([mu]), A([sigma]), A([norm]), A([np.nan]), A([error]))
    assert np.isnan(unknown[0])


def test_chance():
    assert chance.p_local(A([1e-9]))[0] == pytest.approx(1e-9, rel=1e-6)
    assert chance.p_local(A([1.0]))[0] == pytest.approx(1 - math.exp(-1))
    assert chance.p_global(A([1e-6]), 30)[0] == pytest.approx(3e-5, rel=1e-3)
    assert chance.p_global(A([1.0]), 30)[0] == 1.0


def test_a_confident_events_own_rate_does_not_drive_the_joint_one():
    """S241125n: 1.8e-11 Hz became one in 6 years when the rate of such mergers was used."""
    rate = chance.event_rate_hz("lvk", {"BBH": 0.98, "Terrestrial": 0.02}, 1e-20)
    assert rate == pytest.approx(520 / 365.25 / 86400)
    assert chance.event_rate_hz("lvk", {"BNS": 0.9}, 1e-3) == 1e-3
    assert math.isnan(chance.event_rate_hz("moa", {}, None))


def test_tiers():
    p = A([1e-6, 1e-6, 1e-3, 0.3, 0.9, np.nan, 1e-6])
    fast = A([True, False, False, False, False, True, True])
    prior = A([False] * 6 + [True])
    assert chance.tiers(p, chance.p_global(p), prior, fast) == [
        "gold", "silver", "silver", "bronze", "unranked", "unranked", "vetoed",
    ]  # fmt: skip


def test_fink_legacy_reproduces_their_doctests():
    rate = 250 * ZTF_SKY_FRACTION
    assert fink_legacy(rate, 1.03, 3.1) == pytest.approx(0.998510, abs=1e-6)
    assert fink_legacy(rate, 0.29, 36.327) == pytest.approx(0.936975, abs=1e-6)
    assert fink_legacy(rate, 0.083279, 2.17) == pytest.approx(0.999934, abs=1e-6)


def test_raven():
    assert raven.untargeted_far_hz(1e-5, 310, 6.0) == pytest.approx(5.8980e-10, rel=1e-4)
    assert raven.untargeted_far_hz(1e-5, 310, 6.0, 32.286) == pytest.approx(1.8268e-11, rel=1e-4)
    assert raven.untargeted_far_hz(1e-9, 375, 6.0) == pytest.approx(7.1347e-14, rel=1e-4)
    assert raven.targeted_far_hz(6e-10, 1.3889e-6) == pytest.approx(5.2482e-9, rel=1e-4)
    assert raven.untargeted_far_hz(1e-5, 310, 6.0, 0.0) == math.inf
    with pytest.raises(ValueError, match="not in"):
        raven.targeted_far_hz(1.0, 0.1)


def even_alerts(n, seed, nights=1, mjd=60325.0):
    rng = np.random.default_rng(seed)
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    return [
        alerts_at(
            ra[i::nights],
            dec[i::nights],
            mjd + i,
            first_offset=1000 * i,
            object_ids=[f"O{number}" for number in range(i, n, nights)],
        )
        for i in range(nights)
    ]


def test_density_is_that_of_the_new_objects():
    density = AlertDensity()
    for batch in even_alerts(40_000, seed=0, nights=4):
        alerts = Candidates.of_alerts(batch)
        density.add(alerts)
        density.add(alerts)
    measured = density.background()
    assert measured.nights == (60325, 60326, 60327, 60328)
    assert measured.per_deg2_night == pytest.approx(10_000 / 41253, rel=0.06)
    assert measured.footprint.nights_observed(60325.5, 60327.0).max() == 2
    assert measured.footprint.nights_observed(60425.5, 60427.0).max() == 1


def test_density_says_nothing_before_it_can():
    density = AlertDensity()
    density.add(Candidates.of_alerts(alerts_at([1.0], [2.0])))
    assert math.isnan(density.background().per_deg2_night)


@pytest.mark.long
def test_p_local_of_the_best_candidate_is_uniform_on_scrambled_skies():
    """2,000 skies without any counterpart: p of the most credible is uniform."""
    region = error_circle(120.0, 30.0, 8.0, 0.9)
    rng = np.random.default_rng(7)
    n, p_values = 3000, []
    for _ in range(2000):
        ra = rng.uniform(0, 360, n)
        dec = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
        areas = region.searched_areas_deg2(ra, dec, healpix29_of(ra, dec))
        p_values.append(chance.p_local(n / 41252.961 * areas.min(keepdims=True))[0])
    assert kstest(p_values, "uniform").pvalue > 1e-3
    expected_gold = 2000 * 1e-3
    gold = (chance.p_global(A(p_values), 1) < 1e-3).sum()
    assert gold <= expected_gold + 3 * math.sqrt(expected_gold)


def test_an_association_carries_every_factor():
    worker = Correlator()
    for batch in even_alerts(16_000, seed=2, mjd=EVENT_TAI + 1.0):
        worker.correlate(batch)
    worker.take_notice(
        read_notice(voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_1", params={"TrigID": "77"}), 0)
    )
    found = worker.correlate(alerts_at([150.0], [20.05], EVENT_TAI + 1.0, first_offset=99_000))
    (told,) = found.associations
    assert told.ln_bayes_spatial == pytest.approx(np.log(4 * np.pi * told.density_per_sr))
    assert told.ln_bayes == pytest.approx(told.ln_bayes_spatial + told.ln_bayes_temporal)
    assert told.ln_bayes_distance is None
    assert told.background_per_deg2_night == pytest.approx(16_000 / 41253, rel=0.02)
    expected = told.background_per_deg2_night * told.searched_area_deg2
    # Of the density there, 5 objects to a cell, and not of the mean.
    assert told.expected_chance_count == pytest.approx(expected, rel=0.3)
    assert told.p_local == pytest.approx(-math.expm1(-told.expected_chance_count))
    assert told.joint_far_hz == pytest.approx(80 / 365.25 / 86400 * told.p_local)
    assert (told.rank, told.tier, told.trials) == (1, "silver", 30)
    (row,) = found.batch.column("associations").to_pylist()[0]
    assert row["p_local"] == told.p_local
    assert row["tier"] == "silver"


def test_an_event_that_may_be_noise_tells_less():
    ln_b = A([np.log(99.0), 0.0, factors.LN_IMPOSSIBLE])
    weighed = factors.ln_if_astrophysical(ln_b, 0.5)
    assert np.exp(weighed) == pytest.approx([50.0, 1.0, 0.5])
    assert factors.ln_if_astrophysical(ln_b, 1.0) == pytest.approx(ln_b)
    assert np.exp(factors.ln_if_astrophysical(ln_b, 0.0)) == pytest.approx([1, 1, 1])
    assert np.isnan(factors.ln_if_astrophysical(ln_b, None)).all()


def test_an_event_its_author_doubts_has_no_ranked_candidates():
    worker = Correlator()
    for batch in even_alerts(16_000, seed=2, mjd=EVENT_TAI + 1.0):
        worker.correlate(batch)
    params = {"TrigID": "77", "StarTrack_Lost_Lock": "true"}
    worker.take_notice(read_notice(voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_1", params=params), 0))
    found = worker.correlate(alerts_at([150.0], [20.05], EVENT_TAI + 1.0, first_offset=99_000))
    assert [a.tier for a in found.associations] == ["unranked"]


def test_a_map_without_distances_has_no_volume_level():
    worker = Correlator()
    worker.take_notice(read_notice(lvk_json(), 0))
    (told,) = worker.correlate(alerts_at([0.0], [0.0], EVENT_TAI + 1.0)).associations
    assert told.volume_level is None
    assert told.tier == "unranked"
