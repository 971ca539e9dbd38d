from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import kstest

from services.mma.candidates import FIRST_DETECTION, Candidates
from services.mma.skymaps.fisher import error_circle
from services.mma.statistics import chance
from services.mma.statistics.alert_density import AlertDensity
from shared.sky.healpix import healpix29_of
from shared.testing.placed_alerts import alerts_at

NIGHT = 60325.0
WINDOW = (60324.5, 60326.0)


def northern(n, rng):
    """Even positions on the northern sky."""
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(0, 1, n)))


def night_of(ra, dec, is_new, night=NIGHT, tag="O"):
    """Alerts of a night, of which some are of new objects and the rest of old ones."""
    names = [f"{tag}{number}" for number in range(len(ra))]
    alerts = Candidates.of_alerts(alerts_at(ra, dec, night, object_ids=names)).record_batch
    first = pa.array(np.where(is_new, night, night - 100.0))
    column = alerts.schema.get_field_index(FIRST_DETECTION)
    return Candidates(alerts.set_column(column, FIRST_DETECTION, first))


def measured(*nights):
    density = AlertDensity()
    for alerts in nights:
        density.add(alerts)
    return density.background()


def expected(background, region, ra, dec, window=WINDOW):
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    cells = healpix29_of(ra, dec)
    return background.footprint.expected_counts(
        region, window, region.credible_levels(ra, dec, cells),
        region.searched_areas_deg2(ra, dec, cells), cells)  # fmt: skip


@pytest.fixture(scope="module")
def half_sky():
    rng = np.random.default_rng(1)
    ra, dec = northern(20_000, rng)
    return measured(night_of(ra, dec, np.arange(20_000) < 2000))


def test_area_that_was_not_observed_does_not_count(half_sky):
    region = error_circle(100.0, 0.0, 20.0, 0.9)
    # Half of the circle is north of the equator; 2,000 new objects on 20,626 square degrees.
    (found,) = expected(half_sky, region, [100.0], [19.99])
    assert found == pytest.approx(0.5 * region.searched_area_deg2(0.9) * 2000 / 20_626, rel=0.1)


def test_small_regions_have_the_density_about_them(half_sky):
    region = error_circle(100.0, 40.0, 0.5, 0.9)
    (found,) = expected(half_sky, region, [100.0], [40.5])
    assert found == pytest.approx(np.pi * 0.25 * 2000 / 20_626, rel=0.5)


def test_nights_of_the_window_add_up():
    rng = np.random.default_rng(2)
    nights = []
    for number in range(4):
        ra, dec = northern(20_000, rng)
        is_new = np.arange(20_000) < 1000
        nights.append(night_of(ra, dec, is_new, NIGHT + number, f"{number}-"))
    region = error_circle(200.0, 50.0, 15.0, 0.9)
    background = measured(*nights)
    one, three = (
        expected(background, region, [200.0], [60.0], (NIGHT, NIGHT + length - 0.5))[0]
        for length in (1, 3)
    )
    assert three == pytest.approx(3 * one, rel=0.02)
    area = np.pi * 10.0**2
    assert one == pytest.approx(area * 1000 / 20_626, rel=0.15)


def test_crowded_places_expect_more():
    rng = np.random.default_rng(3)
    ra, dec = northern(20_000, rng)
    is_new = (rng.random(20_000) < 0.05) | ((dec > 60) & (rng.random(20_000) < 0.5))
    background = measured(night_of(ra, dec, is_new))
    crowded = expected(background, error_circle(10.0, 75.0, 4.0, 0.9), [10.0], [79.0])
    empty = expected(background, error_circle(10.0, 25.0, 4.0, 0.9), [10.0], [29.0])
    # Ten times as many; one night of a few to a cell says so in part.
    assert crowded[0] > 2 * empty[0]


def test_counts_grow_with_the_level(half_sky):
    region = error_circle(100.0, 10.0, 25.0, 0.9)
    counts = expected(half_sky, region, np.full(60, 100.0), np.linspace(10.0, 80.0, 60))
    assert np.all(np.diff(counts) >= 0)


def test_known_sources_are_no_new_ones():
    rng = np.random.default_rng(4)
    ra, dec = northern(5000, rng)
    alerts = night_of(ra, dec, np.ones(5000, bool)).record_batch
    column = alerts.schema.get_field_index("history_start_mjd_tai")
    known = pa.array(np.where(np.arange(5000) < 4000, NIGHT - 50.0, NIGHT))
    alerts = alerts.set_column(column, "history_start_mjd_tai", known)
    assert measured(Candidates(alerts)).per_deg2_night == pytest.approx(1000 / 20_626, rel=0.1)


@pytest.mark.long
def test_p_of_the_best_candidate_is_uniform_over_scrambled_events():
    """150 events at random places and sizes over a half-observed sky without any counterpart."""
    rng = np.random.default_rng(5)
    ra, dec = northern(40_000, rng)
    is_new = np.arange(40_000) < 3000
    background = measured(night_of(ra, dec, is_new))
    new_ra, new_dec = ra[is_new], dec[is_new]
    cells = healpix29_of(new_ra, new_dec)
    p_values = []
    for _ in range(150):
        centre_ra, centre_dec = (float(one[0]) for one in northern(1, rng))
        region = error_circle(centre_ra, centre_dec, rng.uniform(6, 30), 0.9)
        best = int(np.argmin(region.credible_levels(new_ra, new_dec, cells)))
        mu = expected(background, region, new_ra[best], new_dec[best])
        p_values.append(chance.p_local(mu)[0])
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_the_footprint_is_kept_until_it_grows():
    density = AlertDensity()
    rng = np.random.default_rng(6)
    ra, dec = northern(10_000, rng)
    density.add(night_of(ra, dec, np.ones(10_000, bool)))
    before = density.background().footprint
    density.add(night_of(ra[:500], dec[:500], np.ones(500, bool), tag="new"))
    assert density.background().footprint is before
    density.add(night_of(ra, dec, np.ones(10_000, bool), NIGHT + 1))
    after = density.background().footprint
    assert after is not before
    assert after.nights.tolist() == [60325, 60326]
