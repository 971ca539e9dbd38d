from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sky.proper_motion import ProperMotion, julian_year, moved
from shared.sky.separation import separation_arcsec
from tests.unit.shared.sky.skies import PLACES, all_over_the_sky, around, search

BARNARD = (269.4485025254, 4.7394200511, -801.551, 10_362.394)
"""Gaia DR3, epoch 2016.0: RA, Dec, proper motions in mas/yr."""


def motions(rng, n, log_fastest=4.2):
    """From a hundredth of a mas to 16 arcsec a year; a fifth stand still, some are unknown."""
    speed = 10 ** rng.uniform(-2, log_fastest, n) * (rng.uniform(size=n) > 0.2)
    speed[rng.uniform(size=n) < 0.05] = np.nan
    way = rng.uniform(0, 2 * np.pi, n)
    return speed * np.sin(way), speed * np.cos(way)


def brute_force(catalog, reach, motion, queries, years):
    pairs = {}
    for query, (ra, dec, year) in enumerate(zip(*queries, years, strict=True)):
        then = motion.epoch_year if np.isnan(year) or abs(year - 2016) > 300 else year
        separation = separation_arcsec(*moved(*catalog, motion, then), ra, dec)
        if np.isnan(ra):
            continue
        for row in np.flatnonzero(separation <= reach):
            pairs[query, int(row)] = separation[row]
    return pairs


@settings(max_examples=100, deadline=None)
@given(PLACES, st.floats(-1, 4), st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_finds_stars_where_they_were(place, log_radius, seed, each_its_own, own_epochs):
    rng = np.random.default_rng(seed)
    radius = 10**log_radius
    spread = max(4 * radius / 3_600, 0.02)
    catalog, queries = around(rng, 300, *place, spread), around(rng, 40, *place, spread)
    years = rng.uniform(1950, 2050, 40)
    years[:3] = np.nan, 1e6, 2016.0
    queries[0][5] = np.nan
    epochs = np.where(rng.uniform(size=300) < 0.9, rng.uniform(1980, 2020, 300), np.nan)
    pm = motions(rng, 300)
    motion = ProperMotion(*pm, 2016.0, epochs if own_epochs else None)
    reach = radius * 10 ** rng.uniform(-2, 0, 300) if each_its_own else radius
    found, pairs = search(catalog, reach, (*queries, years), motion=motion)
    if own_epochs:
        # A date that is not known means the catalog's epoch, for rows with their own as well.
        years = np.where(np.isnan(years) | (years > 3_000), 2016.0, years)
    expected = brute_force(catalog, reach, motion, queries, years)
    assert len(pairs) == len(set(pairs))
    borderline = 1e-4  # arcsec: motions are kept in single precision
    for pair in set(pairs) ^ set(expected):
        query, row = pair
        there = moved(*catalog, motion, years[query] if years[query] < 3_000 else 2016.0)
        limit = np.broadcast_to(reach, 300)[row]
        distance = separation_arcsec(there[0][row], there[1][row], *(q[query] for q in queries))
        assert distance == pytest.approx(limit, abs=borderline)
    for pair, separation in zip(pairs, found.separation_arcsec, strict=True):
        if pair in expected:
            assert separation == pytest.approx(expected[pair], abs=borderline)


def test_moves_as_astropy_does():
    rng = np.random.default_rng(1)
    ra, dec = all_over_the_sky(rng, 2_000)
    ra[0], dec[0] = 12.0, 89.9999
    pm_ra, pm_dec = rng.normal(0, 3_000, (2, 2_000))
    ours = moved(ra, dec, ProperMotion(pm_ra, pm_dec, 2016.0), 2050.0)
    sky = SkyCoord(
        ra * u.deg,
        dec * u.deg,
        pm_ra_cosdec=pm_ra * u.mas / u.yr,
        pm_dec=pm_dec * u.mas / u.yr,
        distance=np.full(2_000, 1e7) * u.pc,
        radial_velocity=np.zeros(2_000) * u.km / u.s,
        obstime=Time(2016.0, format="jyear"),
    )
    theirs = sky.apply_space_motion(Time(2050.0, format="jyear"))
    assert separation_arcsec(*ours, theirs.ra.deg, theirs.dec.deg).max() < 1e-3


def test_barnards_star_is_found_in_every_year_and_only_there():
    ra, dec, pm_ra, pm_dec = BARNARD
    motion = ProperMotion(np.array([pm_ra]), np.array([pm_dec]), 2016.0)
    catalog = (np.array([ra]), np.array([dec]))
    years = np.array([1950.0, 1991.25, 2000.0, 2026.0, 2050.0])
    there = np.array([moved(*catalog, motion, year) for year in years])[..., 0].T
    # SIMBAD's place for J2000; parallax, 0.5 arcsec, is not in it.
    assert separation_arcsec(*there[:, 2], 269.4520769586, 4.6933649666) < 0.1
    found, pairs = search(catalog, 1.5, (*there, years), motion=motion)
    assert pairs == [(n, 0) for n in range(5)]
    assert found.separation_arcsec.max() < 1e-4
    assert search(catalog, 1.5, (*there, np.full(5, 2010.0)), motion=motion)[1] == []


def test_agrees_with_astropy_among_a_hundred_thousand_stars():
    rng = np.random.default_rng(2)
    catalog, queries = all_over_the_sky(rng, 100_000), all_over_the_sky(rng, 3_000)
    motion = ProperMotion(*motions(rng, 100_000, 3.9), 2016.0)
    _, pairs = search(catalog, 600.0, (*queries, 2030.5), motion=motion)
    theirs = search_around_sky(
        SkyCoord(*queries, unit="deg"),
        SkyCoord(*moved(*catalog, motion, 2030.5), unit="deg"),
        600 * u.arcsec,
    )
    assert set(pairs) == set(zip(theirs[0].tolist(), theirs[1].tolist(), strict=True))
    assert len(pairs) > 500


def test_julian_years_of_dates():
    dates = Time(["2000-01-01T12:00:00", "2026-07-02T03:04:05"], scale="tt")
    assert julian_year(dates.tai.mjd) == pytest.approx(dates.jyear, abs=1e-9)
    assert np.isnan(julian_year(np.nan))


def test_refuses_what_no_star_does():
    one = np.array([10.0])
    with pytest.raises(ValueError, match=r"moves 30\.0 arcsec a year"):
        search((one, one), 1.0, (one, one), motion=ProperMotion(np.array([3e4]), one * 0, 2016.0))
