from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky
from cdshealpix import nested
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sky.cone_search import Queries, cone_search
from shared.sky.healpix import compress_bits
from shared.sky.healpix_neighbours import cell_at
from shared.sky.separation import separation_arcsec
from shared.sky.sorted_catalog import sort_catalog

SPHERE_ARCSEC = 180 * 3_600


def all_over_the_sky(rng, n):
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def around(rng, n, ra, dec, spread_deg):
    """Positions within ``spread_deg`` of a place, by turning a cap at the pole towards it."""
    distance = np.radians(spread_deg * np.sqrt(rng.uniform(0, 1, n)))
    turn = rng.uniform(0, 2 * np.pi, n)
    cap = np.array([np.sin(distance) * np.cos(turn), np.sin(distance) * np.sin(turn),
                    np.cos(distance)])  # fmt: skip
    tilt, swing = np.radians(90 - dec), np.radians(ra)
    about_y = [[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]]
    about_z = [[np.cos(swing), -np.sin(swing), 0], [np.sin(swing), np.cos(swing), 0], [0, 0, 1]]
    x, y, z = np.array(about_z) @ np.array(about_y) @ cap
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(np.clip(z, -1, 1)))


def brute_force(catalog, reach, queries, least=0.0):
    (ra, dec), (qra, qdec) = catalog, queries
    separation = separation_arcsec(qra[:, None], qdec[:, None], ra[None], dec[None])
    within = separation <= np.maximum(np.broadcast_to(reach, ra.shape), least)[None]
    return {(int(q), int(r)) for q, r in zip(*np.nonzero(within), strict=True)}


def search(catalog, reach, queries, **options):
    positions, order = sort_catalog(*catalog, reach)
    found = cone_search(positions, Queries.at(*queries), **options)
    return found, list(zip(found.query.tolist(), order[found.row].tolist(), strict=True))


PLACES = st.one_of(
    st.tuples(st.floats(0, 360), st.floats(-90, 90)),
    # Poles, RA 0, vertices and edges of base cells, the border of the polar caps.
    st.tuples(
        st.sampled_from([0.0, 360.0, 45.0, 90.0, 180.0, 1e-9, 359.9999999]),
        st.sampled_from([90.0, -90.0, 89.99999, 0.0, 41.810314895778596, -41.8103148957786, 60.0]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(PLACES, st.floats(-1, 5.8), st.integers(0, 2**32 - 1), st.booleans())
def test_finds_exactly_what_brute_force_finds(place, log_radius, seed, each_its_own):
    rng = np.random.default_rng(seed)
    radius = 10**log_radius
    spread = min(4 * radius / 3_600, 180.0)
    catalog = around(rng, 200, *place, spread)
    queries = around(rng, 60, *place, spread)
    reach = radius * 10 ** rng.uniform(-2, 0, 200) if each_its_own else radius
    found, pairs = search(catalog, reach, queries)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute_force(catalog, reach, queries)
    order = np.lexsort((found.separation_arcsec, found.query))
    assert np.array_equal(order, np.arange(len(order)))


@pytest.mark.parametrize("least", [0.0, 500.0, 40_000.0, SPHERE_ARCSEC])
def test_reaches_of_all_sizes_and_a_least_radius(least):
    rng = np.random.default_rng(11)
    catalog, queries = all_over_the_sky(rng, 3_000), all_over_the_sky(rng, 200)
    reach = 10 ** rng.uniform(1, 5, 3_000)
    _, pairs = search(catalog, reach, queries, least_radius_arcsec=least)
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute_force(catalog, reach, queries, least)


def test_agrees_with_astropy():
    rng = np.random.default_rng(12)
    catalog, queries = all_over_the_sky(rng, 40_000), all_over_the_sky(rng, 2_000)
    found, pairs = search(catalog, 1_200.0, queries)
    theirs = search_around_sky(
        SkyCoord(*queries, unit="deg"), SkyCoord(*catalog, unit="deg"), 1_200 * u.arcsec
    )
    assert set(pairs) == set(zip(theirs[0].tolist(), theirs[1].tolist(), strict=True))
    assert len(pairs) > 500
    expected = dict(zip(zip(theirs[0], theirs[1], strict=True), theirs[2].arcsec, strict=True))
    wrong = [abs(expected[p] - s) for p, s in zip(pairs, found.separation_arcsec, strict=True)]
    assert max(wrong) < 1e-6


def test_most_keeps_the_nearest():
    rng = np.random.default_rng(13)
    catalog = around(rng, 300, 10.0, 20.0, 0.01)
    queries = around(rng, 20, 10.0, 20.0, 0.01)
    every, _ = search(catalog, 30.0, queries)
    few, _ = search(catalog, 30.0, queries, most=3)
    for query in range(20):
        nearest = every.separation_arcsec[every.query == query][:3]
        assert np.array_equal(few.separation_arcsec[few.query == query], nearest)


def test_what_is_not_on_the_sphere_matches_nothing():
    catalog = (np.array([1.0]), np.array([2.0]))
    queries = (np.array([np.nan, 1.0, 1.0]), np.array([2.0, 92.0, 2.0]))
    _, pairs = search(catalog, SPHERE_ARCSEC, queries)
    assert pairs == [(2, 0)]


def test_an_empty_catalog_and_no_queries():
    nowhere = (np.empty(0), np.empty(0))
    assert search(nowhere, 1.0, (np.array([1.0]), np.array([1.0])))[1] == []
    assert search((np.array([1.0]), np.array([1.0])), 1.0, nowhere)[1] == []


def test_refuses_bad_rows():
    with pytest.raises(ValueError, match="row 1 is not on the sphere"):
        sort_catalog(np.array([1.0, np.nan]), np.array([1.0, 1.0]), 1.0)
    with pytest.raises(ValueError, match="reach"):
        sort_catalog(np.array([1.0]), np.array([1.0]), np.array([np.nan]))


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_neighbours_agree_with_cdshealpix(order):
    cells = np.arange(12 * 4**order)
    theirs = nested.neighbours(cells.astype(np.uint64), order)
    inside = (1 << 2 * order) - 1
    for cell in cells.tolist():
        face, x, y = cell >> 2 * order, compress_bits(cell & inside), compress_bits((cell & inside) >> 1)  # noqa: E501  # fmt: skip
        ours = {cell_at(order, face, x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
        assert ours - {-1} == {int(c) for c in theirs[cell]} - {-1}
