"""Credible volumes against a posterior whose answer is known: a Gaussian ball in space."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi

from services.mma.skymaps.compiled import cell_centres_deg
from services.mma.skymaps.multi_order import DistanceLayers, compile_map
from services.mma.skymaps.volume import (
    MAX_EXACT_POSITIONS,
    log_volume_density,
    second_moment,
    volume_levels,
)
from shared.sky.healpix import healpix29_of
from shared.sky.separation import unit_vectors

DISTANCE, SIGMA, CENTRE = 100.0, 20.0, (40.0, 30.0)


@pytest.fixture(scope="module")
def ball():
    """Along a line of sight at the angle a: mu = D cos a, p ~ exp(-(D sin a)^2 / 2 s^2)."""
    order = 6
    cells = np.arange(12 << (2 * order))
    ra, dec = cell_centres_deg(cells, order)
    cosine = unit_vectors(ra, dec) @ unit_vectors(*CENTRE)[0]
    mu = DISTANCE * cosine
    moment = np.array([second_moment(-m / SIGMA, 40.0, m, SIGMA) for m in mu])
    density = np.exp(-0.5 * (DISTANCE / SIGMA) ** 2 * (1 - cosine**2)) * moment
    density /= density.sum() * 4 * np.pi / len(cells)
    layers = DistanceLayers.of(mu, np.full(len(mu), SIGMA), 1.0 / moment)
    return compile_map(np.full(len(cells), order), cells, density, layers=layers)


def places(n, seed=0):
    rng = np.random.default_rng(seed)
    centre = DISTANCE * unit_vectors(*CENTRE)[0]
    at = centre + rng.normal(scale=SIGMA, size=(n, 3))
    distance = np.linalg.norm(at, axis=1)
    ra = np.degrees(np.arctan2(at[:, 1], at[:, 0])) % 360
    dec = np.degrees(np.arcsin(at[:, 2] / distance))
    return ra, dec, distance, np.linalg.norm(at - centre, axis=1) / SIGMA


@pytest.mark.parametrize("n", [300, MAX_EXACT_POSITIONS + 300])
def test_levels_are_those_of_the_chi_distribution(ball, n):
    ra, dec, distance, radius = places(n)
    levels = volume_levels(ball, healpix29_of(ra, dec), distance)
    # Cells are a degree wide; at 100 Mpc that is a tenth of sigma.
    assert np.abs(levels - chi(3).cdf(radius)).max() < 0.05
    assert np.abs(levels - chi(3).cdf(radius)).mean() < 0.008


def test_draws_have_uniform_levels(ball):
    ra, dec, distance, _ = places(1000, seed=3)
    levels = np.sort(volume_levels(ball, healpix29_of(ra, dec), distance))
    assert np.abs(levels - np.arange(1000) / 1000).max() < 0.05


def test_density_at_the_centre_is_that_of_a_gaussian(ball):
    row = ball.rows(healpix29_of(*CENTRE))
    density = np.exp(log_volume_density(ball, row, np.array([DISTANCE])))
    assert density[0] == pytest.approx((2 * np.pi) ** -1.5 / SIGMA**3, rel=2e-3)


def test_no_distance_no_level(ball):
    cells = healpix29_of([40.0, 40.0], [30.0, 30.0])
    levels = volume_levels(ball, cells, np.array([np.nan, 100.0]))
    assert np.isnan(levels[0])
    assert levels[1] < 0.1


def test_rows_without_distance_hold_no_volume():
    cells = np.arange(12)
    unknown = np.array([0.0, np.inf, np.nan, *[100.0] * 9])
    sigma, norm = np.where(np.isfinite(unknown), 10.0, 1.0), np.full(12, 1 / 10100.0)
    layers = DistanceLayers.of(unknown, sigma, norm)
    compiled = compile_map(np.zeros(12, int), cells, np.full(12, 1 / (4 * np.pi)), layers=layers)
    ra, dec = cell_centres_deg(cells, 0)
    levels = volume_levels(compiled, healpix29_of(ra, dec), np.full(12, 100.0))
    # As ligo.skymap: no volume holds more than the nine rows that have a distance.
    assert levels[1] == levels[2] == pytest.approx(0.75, abs=1e-3)
    assert np.all(levels[3:] < 0.1)
