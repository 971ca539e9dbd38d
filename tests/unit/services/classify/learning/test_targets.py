"""Target lists: visible, within quotas, partly random, nobody floods one object."""

import numpy as np
import pyarrow as pa
import pytest

from services.classify.learning.targets.bias import bias_metrics, divergence, weighted_mean
from services.classify.learning.targets.candidates import Candidates
from services.classify.learning.targets.facilities import Facility, Programme, read_facilities
from services.classify.learning.targets.make import make_lists
from services.classify.learning.targets.pool import candidates_of
from services.classify.learning.targets.visibility import night_at, visits
from shared.schemas.classification import TRANSIENT_CLASSES

CLASSES = ("SN Ia", "SN II", "TDE", "AGN")
EVENING = 61_000


def candidates(n=800, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([0.8, 0.6, 0.2, 0.3], n)
    return Candidates(
        object_id=np.array([f"o{k}" for k in range(n)]), survey=np.full(n, "ztf"),
        ra_deg=rng.uniform(0, 360, n), dec_deg=np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
        mag_now=rng.uniform(17, 22.5, n), mag_per_day=rng.normal(0, 0.05, n),
        mjd_now=np.full(n, EVENING - 1.0), band=np.full(n, "r"), classes=CLASSES,
        probabilities=p, information=1.0 - p.max(axis=1), is_simulated=np.zeros(n, bool),
    )  # fmt: skip


@pytest.fixture(scope="module")
def lists():
    pool = candidates()
    facilities = read_facilities()
    excluded = {f"o{k}" for k in range(100)}
    made = make_lists(
        facilities, pool, evening_mjd=EVENING, model_id="m" * 12, made_ms=1, excluded=excluded
    )
    return pool, facilities, made


def test_every_facility_has_a_ranked_list(lists):
    _, facilities, made = lists
    for facility in facilities:
        own = [one for one in made.targets if one.facility == facility.name]
        assert [one.rank for one in own] == list(range(1, len(own) + 1))
        assert 4 <= len(own) <= facility.places
        spent = sum(one.exposure_s + facility.overhead_s for one in own)
        assert spent <= 3_600 * facility.hours
        assert all(one.mag_predicted <= facility.faintest_mag for one in own)
        assert all(one.airmass <= facility.greatest_airmass for one in own)
        programmes = {one.programme for one in own}
        assert programmes == {one.name for one in facility.programmes}


def test_quotas_hold_and_the_excluded_are_left_out(lists):
    _, _, made = lists
    assert made.quota_violations == 0
    assert not {one.object_id for one in made.targets} & {f"o{k}" for k in range(100)}


def test_a_sixth_is_random_with_its_propensity(lists):
    _, _, made = lists
    is_random = [one for one in made.targets if one.is_random]
    assert 0.14 <= len(is_random) / len(made.targets) <= 0.21
    assert all(one.propensity < 0.2 for one in is_random)
    assert all(one.propensity == 1.0 for one in made.targets if not one.is_random)
    assert all("random" in one.reason for one in is_random)


def test_no_object_is_asked_for_twice_and_bias_is_told(lists):
    pool, _, made = lists
    metrics = bias_metrics(made.targets, pool, np.full(10, 18.0))
    assert metrics["programme_overlap"] == 0.0
    assert metrics["most_requests_of_one_object"] == 1.0
    assert 0.0 <= metrics["js_magnitude"] <= 1.0
    assert metrics["share_fainter_than_spectroscopic_median"] > 0.2


def test_made_again_a_list_is_the_same(lists):
    pool, facilities, made = lists
    excluded = {f"o{k}" for k in range(100)}
    again = make_lists(
        facilities, pool, evening_mjd=EVENING, model_id="m" * 12, made_ms=1, excluded=excluded
    )
    assert again.targets == made.targets


def test_chosen_places_teach_more_than_random_ones(lists):
    pool, _, made = lists
    information = dict(zip(pool.object_id.tolist(), pool.information.tolist(), strict=True))
    chosen = np.mean([information[one.object_id] for one in made.targets if not one.is_random])
    assert chosen > weighted_mean(information, made.targets) + 0.05


def test_a_quota_binds_when_all_are_alike():
    pool = candidates(200)
    pool.probabilities[:] = [0.6, 0.4, 0.0, 0.0]
    facility = Facility(
        name="one", latitude_deg=0.0, longitude_deg=0.0, hours=10.0, places=10, faintest_mag=23.0,
        exposure_s_at_20=10.0, class_quota=0.4, programmes=(Programme(name="p"),),
    )  # fmt: skip
    made = make_lists([facility], pool, evening_mjd=EVENING, model_id="m", made_ms=1)
    assert 3 <= len(made.targets) <= 4
    assert made.quota_violations == 0


def test_visits_are_in_the_dark_and_where_the_object_is_up():
    facility = read_facilities()[0]
    night = night_at(facility, EVENING)
    assert 6.0 < (night.end_mjd_utc - night.begin_mjd_utc) * 24 < 14.0
    # Local noon is between the evening's date and the night.
    middle = (night.begin_mjd_utc + night.end_mjd_utc) / 2 + facility.longitude_deg / 360.0
    assert middle == pytest.approx(EVENING + 1.0, abs=0.1)
    when = visits(facility, night, np.array([0.0, 0.0]), np.array([-90.0, 80.0]))
    assert when.is_up.tolist() == [True, False]
    assert when.airmass[0] == pytest.approx(1 / np.sin(np.radians(31.27)), rel=0.01)
    assert when.hours_up[1] == 0.0


def test_where_it_does_not_get_dark_there_is_no_night():
    polar = Facility(
        name="polar", latitude_deg=78.0, longitude_deg=15.0, hours=5.0, faintest_mag=20.0,
        exposure_s_at_20=100.0,
    )  # fmt: skip
    assert night_at(polar, 61_212) is None  # a day of June


def test_divergence_is_of_distributions():
    assert divergence(np.array([1.0, 1.0]), np.array([5.0, 5.0])) == pytest.approx(0.0)
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 3.0])) == pytest.approx(1.0)


def test_a_wrong_facilities_file_says_where(tmp_path):
    path = tmp_path / "facilities.toml"
    path.write_text('[[facility]]\nname = "x"\nlatitude_deg = 95\n')
    with pytest.raises(ValueError, match="latitude_deg"):
        read_facilities(path)


def test_the_pool_is_the_newest_verdict_of_each_object():
    rows = {
        "survey": ["ztf"] * 3, "object_id": ["a", "b", "a"], "ra_deg": [1.0, 2.0, 1.0],
        "dec_deg": [0.0] * 3, "mjd_tai": [10.0, 11.0, 12.0], "band": ["g", "r", None],
        "flux_njy": [3631e3, 3631e3, 3631.0], "is_simulated": [False] * 3,
        "mag_per_day": [0.1, None, 0.2], "model": ["m1", "m1", "m2"],
        **{f"p_{name}": [0.0] * 3 for name, _ in TRANSIENT_CLASSES},
    }  # fmt: skip
    rows["p_sn_ia"], rows["p_agn"] = [0.5, 0.02, 0.7], [0.5, 0.98, 0.3]
    found, model = candidates_of([pa.table({}), pa.table(rows)])
    assert found.object_id.tolist() == ["a"]  # b is surely an AGN: no spectrum needed
    assert found.mag_now[0] == pytest.approx(22.5, abs=0.01)
    assert found.information[0] > 0.1
    assert model == "m2"
    assert len(candidates_of([])[0]) == 0
