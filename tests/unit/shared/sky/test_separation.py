from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord, angular_separation
from hypothesis import given
from hypothesis import strategies as st

from shared.sky.separation import galactic_latitude_deg, separation_arcsec, unit_vectors


def test_hand_computed():
    assert separation_arcsec(0, 0, 90, 0) == pytest.approx(324_000)
    assert separation_arcsec(10, 0, 10, 1) == pytest.approx(3_600)
    assert separation_arcsec(0, 60, 180, 60) == pytest.approx(60 * 3_600)
    assert separation_arcsec(123.0, 90, 7.0, 90) == pytest.approx(0, abs=1e-9)
    assert separation_arcsec(359.9999, 0, 0.0001, 0) == pytest.approx(0.72, rel=1e-9)
    assert np.isnan(separation_arcsec(np.nan, 0, 0, 0))


def test_tiny_and_antipodal_distances_keep_their_digits():
    micro = 1e-6 / 3_600
    assert separation_arcsec(200, 40, 200, 40 + 1_000 * micro) == pytest.approx(1e-3, rel=1e-7)
    # cos(60 deg) = 1/2: twice the turn gives the distance.
    assert separation_arcsec(0, 60, 2_000 * micro, 60) == pytest.approx(1e-3, rel=1e-9)
    assert separation_arcsec(0, 30, 180, -30 + 1 / 3_600) == pytest.approx(647_999, abs=1e-6)


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 360), st.floats(-90, 90))
def test_agrees_with_astropy_and_is_symmetric(ra1, dec1, ra2, dec2):
    ours = separation_arcsec(ra1, dec1, ra2, dec2)
    theirs = angular_separation(*np.radians([ra1, dec1, ra2, dec2]))
    assert ours == pytest.approx(np.degrees(theirs) * 3_600, abs=1e-8)
    assert ours == pytest.approx(separation_arcsec(ra2, dec2, ra1, dec1), abs=1e-9)


def test_unit_vectors_have_length_one_and_exact_poles():
    rng = np.random.default_rng(1)
    vectors = unit_vectors(rng.uniform(0, 360, 1_000), rng.uniform(-90, 90, 1_000))
    assert np.allclose((vectors**2).sum(axis=1), 1, atol=1e-15)
    assert np.array_equal(unit_vectors([77.0, 12.0], [90.0, -90.0]), [[0, 0, 1], [0, 0, -1]])


def test_galactic_latitude_agrees_with_astropy():
    rng = np.random.default_rng(2)
    ra = np.concatenate([rng.uniform(0, 360, 2_000), [192.85948, 266.405, 0.0]])
    dec = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, 2_000))), [27.12825, -28.9, 90]])
    expected = SkyCoord(ra * u.deg, dec * u.deg).galactic.b.deg
    assert np.abs(galactic_latitude_deg(ra, dec) - expected).max() < 1e-6
