from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, search_around_sky
from cdshealpix import nested
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.sky.healpix import compress_bits
from shared.sky.healpix_neighbours import cell_at
from shared.sky.separation import separation_arcsec
from shared.sky.sorted_catalog import sort_catalog
from tests.unit.shared.sky.skies import PLACES, SPHERE_ARCSEC, all_over_the_sky, around, search


def brute_force(catalog, reach, queries, least=0.0):
    (ra, dec), (qra, qdec) = catalog, queries
    separation = separation_arcsec(qra[:, None], qdec[:, None], ra[None], dec[None])
    within = separation <= np.maximum(np.broadcast_to(reach, ra.shape), least)[None]
    return {(int(q), int(r)) for q, r in zip(*np.nonzero(within), strict=True)}


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


def test_one_radius_for_all_replaces_their_own():
    rng = np.random.default_rng(14)
    catalog, queries = around(rng, 500, 300.0, -89.99, 0.5), around(rng, 50, 300.0, -89.99, 0.5)
    reach = 10 ** rng.uniform(1, 4, 500)
    for radius in (0.0, 30.0, 700.0):
        _, pairs = search(catalog, reach, queries, radius_arcsec=radius)
        assert set(pairs) == brute_force(catalog, radius, queries)
    for wrong in ({"radius_arcsec": -1.0}, {"least_radius_arcsec": np.nan}):
        with pytest.raises(ValueError, match="radius"):
            search(catalog, reach, queries, **wrong)


def test_many_rows_at_the_very_same_place():
    catalog = (np.full(5_000, 123.456), np.full(5_000, -45.0))
    found, pairs = search(catalog, 1.0, (np.full(3, 123.456), np.full(3, -45.0)))
    assert len(set(pairs)) == 15_000
    assert (found.separation_arcsec == 0).all()
    found, pairs = search(catalog, 1.0, (np.full(3, 123.456), np.full(3, -45.0)), most=2)
    assert found.query.tolist() == [0, 0, 1, 1, 2, 2]


def test_separations_are_good_to_a_microarcsecond():
    rng = np.random.default_rng(15)
    catalog = all_over_the_sky(rng, 20_000)
    ra, dec = catalog[0][:500], catalog[1][:500]
    off = np.clip(dec + rng.uniform(-1, 1, 500) / 3_600, -90, 90)
    found, pairs = search(catalog, 1.5, (ra, off))
    nearest = {q: s for (q, r), s in zip(pairs, found.separation_arcsec, strict=True) if q == r}
    expected = separation_arcsec(ra, dec, ra, off)
    assert max(abs(nearest[q] - expected[q]) for q in range(500)) < 1e-6


@pytest.mark.long
def test_a_catalog_too_large_for_the_caches_gives_the_same():
    rng = np.random.default_rng(16)
    catalog, queries = all_over_the_sky(rng, 4_500_000), all_over_the_sky(rng, 1_000)
    queries[0][70] = np.nan
    reach = np.where(rng.uniform(size=4_500_000) < 1e-4, 3_000.0, 30.0)
    found, pairs = search(catalog, reach, queries)
    keep = np.flatnonzero(reach > 100)
    far = brute_force([c[keep] for c in catalog], reach[keep], queries)
    assert {(q, int(keep[r])) for q, r in far} == {p for p in pairs if reach[p[1]] > 100}
    good = np.delete(np.arange(1_000), 70)
    theirs = search_around_sky(
        SkyCoord(queries[0][good], queries[1][good], unit="deg"),
        SkyCoord(*catalog, unit="deg"),
        30 * u.arcsec,
    )
    near = set(zip(good[theirs[0]].tolist(), theirs[1].tolist(), strict=True))
    ours = zip(pairs, found.separation_arcsec, strict=True)
    assert near == {pair for pair, separation in ours if separation <= 30.0}
    assert len(far) > 10


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
