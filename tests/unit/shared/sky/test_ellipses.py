from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sky.catalog_layers import Ellipse
from shared.sky.proper_motion import ProperMotion, moved
from tests.unit.shared.sky.skies import PLACES, around, search


def elliptical_radius(catalog, reach, ellipse, queries):
    """1 on the rim: from astropy's separations and position angles, shape (queries, rows)."""
    rows = SkyCoord(*(c[None] for c in catalog), unit="deg")
    places = SkyCoord(*(q[:, None] for q in queries), unit="deg")
    separation = rows.separation(places).arcsec
    flat = ellipse.is_flat()
    ratio = np.where(flat, ellipse.axis_ratio, 1.0)
    turn = rows.position_angle(places).rad - np.radians(np.where(flat, ellipse.position_angle_deg, 0))  # noqa: E501  # fmt: skip
    return separation / reach * np.hypot(np.cos(turn), np.sin(turn) / ratio)


@settings(max_examples=100, deadline=None)
@given(PLACES, st.floats(-1, 5), st.integers(0, 2**32 - 1))
def test_finds_what_is_inside_the_ellipses(place, log_radius, seed):
    rng = np.random.default_rng(seed)
    radius = 10**log_radius
    spread = min(2 * radius / 3_600, 180.0)
    catalog, queries = around(rng, 200, *place, spread), around(rng, 60, *place, spread)
    reach = radius * 10 ** rng.uniform(-1, 0, 200)
    ratio, angle = rng.uniform(0.05, 1.2, 200), rng.uniform(-90, 360, 200)
    ratio[:10], angle[5:20] = np.nan, np.nan
    ellipse = Ellipse(ratio, angle)
    expected = elliptical_radius(catalog, reach, ellipse, queries)
    _, pairs = search(catalog, reach, queries, ellipse=ellipse)
    found = np.zeros((60, 200), bool)
    found[tuple(np.array(pairs, int).reshape(-1, 2).T)] = True
    clear = np.abs(expected - 1) > 1e-6  # axes are kept in single precision
    assert np.array_equal(found[clear], (expected <= 1)[clear])


def test_an_edge_on_galaxy_reaches_along_its_disc_only():
    galaxy = (np.array([150.0]), np.array([60.0]))
    ellipse = Ellipse(np.array([0.1]), np.array([90.0]))
    minute = 1 / 60
    queries = (
        np.array([150 + 2 * 4.9 * minute, 150 + 2 * 5.1 * minute, 150.0, 150.0]),
        np.array([60.0, 60.0, 60 + 0.49 * minute, 60 + 0.51 * minute]),
    )
    assert search(galaxy, 300.0, queries, ellipse=ellipse)[1] == [(0, 0), (2, 0)]
    # A least radius is a circle; one radius for all leaves no shape.
    assert len(search(galaxy, 300.0, queries, ellipse=ellipse, least_radius_arcsec=31.0)[1]) == 3
    assert search(galaxy, 300.0, queries, ellipse=ellipse, radius_arcsec=30.0)[1] == [(2, 0)]


def test_at_the_very_pole_angles_count_from_the_rows_own_meridian():
    pole = (np.array([30.0]), np.array([90.0]))
    ellipse = Ellipse(np.array([0.1]), np.array([0.0]))
    # North through the pole from RA 30 leads down the meridian of 210.
    around_it = (np.array([30.0, 120.0, 210.0, 300.0]), np.full(4, 90 - 50 / 3_600))
    assert search(pole, 100.0, around_it, ellipse=ellipse)[1] == [(0, 0), (2, 0)]


def test_error_ellipses_move_with_their_stars():
    star = (np.array([10.0, 200.0]), np.array([-20.0, 5.0]))
    motion = ProperMotion(np.array([5_000.0, 0.0]), np.array([-2_000.0, 0.0]), 2000.0)
    ellipse = Ellipse(np.array([0.2, 0.2]), np.array([90.0, 90.0]))
    there = moved(*star, motion, 2025.0)
    along = there[0] + 0.9 / 3_600 / np.cos(np.radians(there[1]))
    assert search(star, 1.0, (along, there[1], 2025.0), motion=motion, ellipse=ellipse)[1] == [
        (0, 0), (1, 1)]  # fmt: skip
    across = there[1] + 0.3 / 3_600
    assert search(star, 1.0, (there[0], across, 2025.0), motion=motion, ellipse=ellipse)[1] == []


def test_refuses_a_flat_line():
    one = np.array([1.0])
    with pytest.raises(ValueError, match="axis ratio"):
        search((one, one), 1.0, (one, one), ellipse=Ellipse(np.array([0.0]), one))
