from __future__ import annotations

import numpy as np
import pytest

from services.mma.skymaps.compiled import cell_centres_deg, compiled
from services.mma.skymaps.ellipse import ErrorEllipse
from services.mma.skymaps.fisher import error_circle
from services.mma.skymaps.multi_order import compile_map
from services.mma.skymaps.overlap import combined, overlap
from services.mma.skymaps.polygon import ErrorPolygon
from services.mma.skymaps.tangent import ErrorAnnulus, QuadrantEllipse
from services.mma.skymaps.whole_sky import WholeSky
from shared.errors import RejectedRecordError
from shared.sky.healpix import healpix29_of

GBM_FLIGHT = ((0.897, 7.52), (0.103, 55.6))
REGIONS = [
    error_circle(10.0, 20.0, 5.0, 0.9),
    error_circle(0.0, 0.0, 3.0 / 3600.0, 0.9),
    error_circle(100.0, 89.9, 11.6, 0.683, GBM_FLIGHT),
    ErrorEllipse(200.0, -30.0, 5.0, 0.5, 40.0, 0.9),
    QuadrantEllipse(77.43, 5.72, 1.3, 0.8, 0.7, 0.4),
    ErrorAnnulus(50.0, 50.0, 60.0, 0.5),
    ErrorPolygon(10.0, 0.0, ((8.0, -1.0), (12.0, -3.0), (13.0, 2.0), (9.0, 1.0)), 0.9),
]


def flat(density, order=0):
    density = np.asarray(density, dtype=float)
    density = density / (density.sum() * 4 * np.pi / len(density))
    return compile_map(np.full(len(density), order), np.arange(len(density)), density)


NORTH = flat([1.0] * 4 + [0.0] * 8)
SOUTH = flat([0.0] * 8 + [1.0] * 4)
ALL_SKY = flat([1.0] * 12)


def test_algebra():
    assert overlap(ALL_SKY, NORTH) == pytest.approx(1.0, abs=1e-9)
    assert overlap(NORTH, NORTH) == pytest.approx(3.0, abs=1e-9)
    assert overlap(NORTH, SOUTH) == 0.0
    half = flat(np.repeat([1.0, 0.0], 6))
    assert overlap(half, half) == pytest.approx(2.0, abs=1e-9)


def test_a_tiny_region_in_a_coarse_cell_is_not_missed():
    """Where nearest-pixel codes fail: the region is far smaller than the other map's cells."""
    point = compiled(error_circle(45.0, 41.8, 1.0 / 3600, 0.9))
    assert overlap(point, NORTH) == pytest.approx(3.0, rel=1e-6)
    assert overlap(NORTH, point) == pytest.approx(3.0, rel=1e-6)


def test_the_product_is_a_map_and_keeps_the_better_place():
    first, second = compiled(error_circle(10, 0, 5, 0.9)), compiled(error_circle(14, 0, 5, 0.9))
    product = combined(first, second)
    assert product.mode()[0] == pytest.approx(12.0, abs=0.5)
    assert product.searched_area_deg2(0.9) < 0.6 * first.searched_area_deg2(0.9)
    assert product.sum_as_given == pytest.approx(1.0, abs=1e-9)


def test_excluding_maps_have_no_product():
    with pytest.raises(RejectedRecordError, match="exclude"):
        combined(NORTH, SOUTH)


@pytest.mark.parametrize("region", REGIONS, ids=lambda r: type(r).__name__)
def test_compiled_regions_agree_with_their_formula(region):
    made = compiled(region)
    for level in (0.5, 0.9):
        assert made.searched_area_deg2(level) == pytest.approx(
            region.searched_area_deg2(level), rel=4e-3
        )
    rng = np.random.default_rng(1)
    row = rng.choice(len(made.first), 2000, p=made.density_per_sr * made.area_sr)
    cells = made.first[row] + (rng.random(2000) * (made.end - made.first)[row]).astype(np.int64)
    ra, dec = cell_centres_deg(cells, 29)
    by_map = made.credible_levels(ra, dec, cells)
    by_formula = region.credible_levels(ra, dec, cells)
    # The map's level is that of a whole cell, a fifth of sigma wide.
    assert np.abs(by_map - by_formula).mean() < 0.04
    assert np.abs((by_map - by_formula).mean()) < 0.004
    # Draws have uniform levels, whichever way they are found (KS, n = 2000).
    uniform = (np.arange(2000) + 0.5) / 2000
    assert np.abs(np.sort(by_formula) - uniform).max() < 0.045
    areas = region.searched_areas_deg2(ra, dec, cells)
    assert areas == pytest.approx([region.searched_area_deg2(v) for v in by_formula], rel=1e-3)


def test_whole_sky_says_nothing():
    assert overlap(compiled(WholeSky()), NORTH) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    "corners",
    [
        ((8.0, -1.0), (12.0, -1.0)),
        ((8.0, -1.0), (12.0, 1.0), (12.0, -1.0), (8.0, 1.0)),
        ((11.0, 1.0), (13.0, 1.0), (12.0, 3.0)),
        ((100.0, 0.0), (190.0, 80.0), (280.0, 0.0)),
    ],
    ids=["two", "crossed", "centre outside", "too far"],
)
def test_polygons_without_an_inside(corners):
    with pytest.raises(ValueError, match=r"corner"):
        ErrorPolygon(10.0, 0.0, corners, 0.9)


def test_density_of_a_formula_integrates_to_one():
    cells = np.arange(12 << 16)
    ra, dec = cell_centres_deg(cells, 8)
    for region in REGIONS[2:4]:
        density = region.densities_per_sr(ra, dec, healpix29_of(ra, dec))
        assert density.mean() * 4 * np.pi == pytest.approx(1.0, rel=5e-3)
