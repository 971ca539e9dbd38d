from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Latitude, Longitude
from cdshealpix import nested
from hypothesis import given
from hypothesis import strategies as st

from shared.sky.healpix import (
    INVALID_CELL,
    coarser,
    compress_bits,
    healpix29_of,
    healpix_of,
    spread_bits,
)


def reference(order, ra, dec):
    cells = nested.lonlat_to_healpix(Longitude(ra, u.deg), Latitude(dec, u.deg), order)
    return np.asarray(cells).astype(np.int64)


@pytest.mark.parametrize("order", [0, 1, 3, 10, 20, 29])
def test_agrees_with_cdshealpix_all_over_the_sky(order):
    rng = np.random.default_rng(order)
    ra = rng.uniform(0, 360, 50_000)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, 50_000)))
    assert np.array_equal(healpix_of(order, ra, dec), reference(order, ra, dec))


@pytest.mark.parametrize("pole", [-1, 1])
def test_agrees_with_cdshealpix_close_to_the_poles(pole):
    rng = np.random.default_rng(5)
    ra = rng.uniform(0, 360, 5_000)
    dec = pole * (90 - 10 ** rng.uniform(-9, 1.3, 5_000))
    order = 24
    assert np.array_equal(healpix_of(order, ra, dec), reference(order, ra, dec))


def test_special_places():
    ra = np.array([0.0, 0.0, 0.0, 40.0, 180.0, 270.0, 50.0])
    dec = np.array([0.1, 90.0, -90.0, 0.0, -0.1, -5.0, 0.0])
    for order in (0, 1, 12):
        assert np.array_equal(healpix_of(order, ra, dec), reference(order, ra, dec))


def test_a_vertex_between_four_base_cells_goes_where_the_reference_library_puts_it():
    # HEALPix C++ (healpy) says 5, cdshealpix says 0: the point belongs to both.
    assert healpix_of(0, 45.0, 0.0) == 5


@pytest.mark.parametrize("order", [2, 11, 18])
def test_centres_and_points_just_inside_the_vertices_belong_to_their_cell(order):
    rng = np.random.default_rng(7)
    cells = rng.integers(0, 12 * 4**order, 3_000)
    lon, lat = nested.healpix_to_lonlat(cells.astype(np.uint64), order)
    assert np.array_equal(healpix_of(order, lon.deg % 360, lat.deg), cells)
    for dx in (1e-4, 1 - 1e-4):
        for dy in (1e-4, 1 - 1e-4):
            lon, lat = nested.healpix_to_lonlat(cells.astype(np.uint64), order, dx=dx, dy=dy)
            assert np.array_equal(healpix_of(order, lon.deg % 360, lat.deg), cells)


def test_right_ascension_wraps():
    dec = np.full(5, 12.5)
    cells = healpix29_of([0.0, 360.0, -360.0, 720.0, -1e-20], dec)
    assert len(set(cells.tolist())) == 1
    assert healpix29_of(-10.0, 50.0) == healpix29_of(350.0, 50.0)


def test_what_is_not_on_the_sphere_has_no_cell():
    ra = [np.nan, 1.0, np.inf, 1.0, 1.0]
    dec = [0.0, np.nan, 0.0, 90.0001, -91.0]
    assert (healpix29_of(ra, dec) == INVALID_CELL).all()
    assert (coarser(healpix29_of(ra, dec), 3) == INVALID_CELL).all()


def test_refuses_wrong_orders_and_lengths():
    with pytest.raises(ValueError, match="order 30"):
        healpix_of(30, 1.0, 1.0)
    with pytest.raises(ValueError, match="shape"):
        healpix_of(3, [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="order -1"):
        coarser(np.array([1]), -1)


@given(st.integers(0, 2**29 - 1))
def test_spread_and_compress_are_inverse(value):
    assert compress_bits(spread_bits(value)) == value
    assert compress_bits(spread_bits(value) << 1) == 0


@given(
    st.floats(0, 360, exclude_max=True),
    st.floats(-90, 90),
    st.integers(0, 29),
)
def test_a_shift_gives_the_coarser_cell(ra, dec, order):
    assert coarser(healpix29_of(ra, dec), order) == healpix_of(order, ra, dec)
