from __future__ import annotations

import numpy as np
import pytest

from services.xmatch.hosts.light_radius import bearing_rad, light_radius_arcsec
from shared.sky.separation import unit_vectors


def radius(a, b, pa, bearing_deg):
    arrays = [np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (a, b, pa)]
    return float(light_radius_arcsec(*arrays, np.radians(np.atleast_1d(bearing_deg)))[0])


@pytest.mark.parametrize(
    ("bearing", "expected"),
    [
        (30.0, 10.0),
        (210.0, 10.0),
        (120.0, 4.0),
        (-60.0, 4.0),
        (75.0, 40 / 58**0.5),
    ],
)
def test_the_ellipse_in_every_direction(bearing, expected):
    assert radius(10.0, 4.0, 30.0, bearing) == pytest.approx(expected)


def test_a_point_of_the_ellipse_is_at_its_own_radius():
    t = np.linspace(0, 2 * np.pi, 50)
    along, across = 10.0 * np.cos(t), 4.0 * np.sin(t)
    bearing = np.radians(30.0) + np.arctan2(across, along)
    whole = [np.full(50, x) for x in (10.0, 4.0, 30.0)]
    assert light_radius_arcsec(*whole, bearing) == pytest.approx(np.hypot(along, across))


def test_what_is_not_known():
    assert radius(10.0, np.nan, 30.0, 77.0) == pytest.approx(10.0)
    assert radius(10.0, 4.0, np.nan, 77.0) == pytest.approx(40**0.5)
    assert np.isnan(radius(np.nan, np.nan, np.nan, 77.0))


def test_bearings_agree_with_astropy_everywhere():
    coordinates = pytest.importorskip("astropy.coordinates")
    rng = np.random.default_rng(2)
    ra = rng.uniform(0, 360, (2, 200))
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, (2, 200))))
    ra[:, :4], dec[:, :4] = [[359.99] * 4, [0.01] * 4], [[89.9, -89.9, 0.0, 45.0]] * 2
    one, two = (coordinates.SkyCoord(r, d, unit="deg") for r, d in zip(ra, dec, strict=True))
    bearing = bearing_rad(unit_vectors(ra[0], dec[0]), unit_vectors(ra[1], dec[1]))
    expected = one.position_angle(two).rad
    assert np.cos(bearing - expected) == pytest.approx(np.ones(200), abs=1e-12)
    assert np.isfinite(bearing_rad(unit_vectors([0.0], [90.0]), unit_vectors([3.0], [5.0]))).all()
