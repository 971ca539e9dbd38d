from __future__ import annotations

import io
import os
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from services.mma.skymaps.compiled import cell_centres_deg
from services.mma.skymaps.ellipse import ErrorEllipse
from services.mma.skymaps.fisher import error_circle
from services.mma.skymaps.fits import MAX_FILE_MAP_BYTES, read_sky_map
from shared.errors import RejectedRecordError
from shared.sky.healpix import healpix29_of
from shared.sky.separation import separation_arcsec
from shared.testing.notices import base_cells_map, multi_order_map

MAPS = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices" / "skymaps"
NOWHERE = np.empty(0)

FLIGHT = ((0.897, 7.52), (0.103, 55.6))
GROUND = ((0.804, 3.72), (0.196, 13.7))
FINAL = ((0.900, 3.71), (0.100, 14.3))


def shelf_map(name):
    path = MAPS / name
    if not path.exists():
        pytest.skip(f"{path} is not here; set TOCSIN_DATA")
    return read_sky_map(path.read_bytes(), MAX_FILE_MAP_BYTES)


def level_at(region, ra_deg, dec_deg):
    cells = healpix29_of(ra_deg, dec_deg)
    return float(region.credible_levels(np.array([ra_deg]), np.array([dec_deg]), cells)[0])


def density_at(region, cell):
    return float(region.densities_per_sr(NOWHERE, NOWHERE, cell)[0])


def test_twelve_cells_by_hand():
    compiled = read_sky_map(base_cells_map(0.8))
    # Cell 4 is centred on 0, 0 and holds 0.8; the others share 0.2, in order of number.
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(0.8)
    assert level_at(compiled, 45.0, 45.0) == pytest.approx(0.8 + 0.2 / 11)
    assert compiled.searched_area_deg2(0.8) == pytest.approx(41252.96125 / 12)
    assert compiled.searched_area_deg2(0.4) == pytest.approx(41252.96125 / 24)
    assert compiled.mode() == pytest.approx((0.0, 0.0))
    cell = healpix29_of(0.0, 0.0)
    assert density_at(compiled, cell) == pytest.approx(0.8 / (4 * np.pi / 12))


def test_cells_outside_a_partial_map_have_level_one():
    area = 4 * np.pi / 12
    compiled = read_sky_map(multi_order_map([8], [1 / area]))
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(1.0)  # the only cell: level of all
    assert level_at(compiled, 180.0, 0.0) == 1.0
    assert density_at(compiled, healpix29_of(180.0, 0.0)) == 0.0


def test_map_per_square_degree_is_recognised():
    area_deg2 = 41252.96125 / 12
    shares = [0.8 if cell == 4 else 0.2 / 11 for cell in range(12)]
    per_deg2 = multi_order_map([4 + c for c in range(12)], [s / area_deg2 for s in shares])
    assert level_at(read_sky_map(per_deg2), 0.0, 0.0) == pytest.approx(0.8)


def flat_map(values, ordering):
    column = fits.Column("PROB", "D", array=values)
    table = fits.BinTableHDU.from_columns([column])
    table.header["ORDERING"] = ordering
    sink = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(sink)
    return sink.getvalue()


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_flat_map_in_either_ordering(ordering):
    # Nested cell 4 of order 0 is also cell 4 in ring order.
    values = np.full(12, 0.2 / 11)
    values[4] = 0.8
    compiled = read_sky_map(flat_map(values, ordering))
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(0.8)


def test_flat_ring_map_at_order_one_puts_the_first_pixels_at_the_north_pole():
    values = np.zeros(48)
    values[:4] = 0.25
    compiled = read_sky_map(flat_map(values, "RING"))
    assert level_at(compiled, 10.0, 80.0) <= 1.0
    assert density_at(compiled, healpix29_of(10.0, 80.0)) == pytest.approx(0.25 / (4 * np.pi / 48))
    assert density_at(compiled, healpix29_of(10.0, -80.0)) == 0.0


def table_file(columns, **header):
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(header)
    sink = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(sink)
    return sink.getvalue()


def test_galactic_map_is_turned():
    cells = np.arange(12 * 4**4)
    l_deg, b_deg = cell_centres_deg(cells, 4)
    # All of it within 10 degrees of the Galactic centre (266.405, -28.936 ICRS).
    near = separation_arcsec(0.0, 0.0, l_deg, b_deg) < 36000.0
    column = fits.Column("PROB", "D", array=near / near.sum())
    compiled = read_sky_map(table_file([column], ORDERING="NESTED", COORDSYS="G"))
    assert "Galactic" in compiled.remarks[0]
    area = near.sum() * 41252.96 / 3072
    assert compiled.searched_area_deg2(0.999999) == pytest.approx(area, rel=0.01)
    assert density_at(compiled, healpix29_of(266.405, -28.936)) > 0
    assert density_at(compiled, healpix29_of(266.405, -44.0)) == 0


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
def test_map_of_some_pixels(ordering):
    columns = [fits.Column("PIXEL", "K", array=[4, 0]), fits.Column("PROB", "D", array=[0.8, 0.2])]
    compiled = read_sky_map(table_file(columns, ORDERING=ordering, NSIDE=1, INDXSCHM="EXPLICIT"))
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(0.8)
    assert level_at(compiled, 45.0, 45.0) == pytest.approx(1.0)
    assert density_at(compiled, healpix29_of(180.0, 0.0)) == 0


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (1.0, ""),
        (12 / (4 * np.pi), "per steradian"),
        (12 / 41252.96125, "per square degree"),
        (0.995, "sum is 0.995"),
    ],
)
def test_units_of_a_flat_map_are_told_by_its_sum(factor, says):
    values = np.array([0.8 if cell == 4 else 0.2 / 11 for cell in range(12)]) * factor
    compiled = read_sky_map(table_file([fits.Column("T", "D", array=values)], ORDERING="NESTED"))
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(0.8)
    assert says in " ".join(compiled.remarks)
    assert bool(compiled.remarks) == bool(says)


def test_unseen_pixels_are_empty():
    values = np.array([0.8 if cell == 4 else 0.2 / 10 for cell in range(12)])
    values[7] = -1.6375e30
    compiled = read_sky_map(flat_map(values, "NESTED"))
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(0.8)


def test_multi_order_map_of_probabilities_is_recognised():
    shares = [0.8, *[0.2 / 11] * 11]
    compiled = read_sky_map(multi_order_map([8, 4, 5, 6, 7, *range(9, 16)], shares))
    assert level_at(compiled, 0.0, 0.0) == pytest.approx(0.8)
    assert "per cell" in compiled.remarks[0]


def test_area_of_cells_too_faint_to_change_the_sum():
    density = np.array([1.0, *np.geomspace(1e-20, 1e-30, 11)]) * 12 / (4 * np.pi)
    compiled = read_sky_map(multi_order_map([4 + c for c in range(12)], density))
    cells = np.arange(12) << 58
    areas = compiled.searched_areas_deg2(NOWHERE, NOWHERE, cells)
    assert areas == pytest.approx(np.arange(1, 13) * 41252.96125 / 12)


def test_equal_siblings_of_a_flat_map_are_merged():
    compiled = read_sky_map(flat_map(np.full(12 * 4**4, 1 / (12 * 4**4)), "NESTED"))
    assert len(compiled.first) == 12


@pytest.mark.filterwarnings("ignore:Error validating header")
@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "no binary table"),
        (base_cells_map()[:3000], "FITS"),
        (b"\x1f\x8bbroken", "gzip"),
        (multi_order_map([4, 5], [1.0, 1.0]), "sum"),
        (multi_order_map([4, 16], [1.0, 1.0]), "overlap"),
        (multi_order_map([4, 5], [np.nan, 1.0]), "not finite"),
        (multi_order_map([3], [1.0]), "UNIQ"),
        (multi_order_map([4], [12 / (4 * np.pi)], COORDSYS="G"), "equatorial"),
        (multi_order_map([4], [12 / (4 * np.pi)], COORDSYS="E"), "equatorial"),
        (flat_map(np.full(13, 1 / 13), "RING"), "no full HEALPix map"),
    ],
)
def test_bad_maps_are_refused(payload, says):
    with pytest.raises(RejectedRecordError, match=says) as refused:
        read_sky_map(payload)
    assert refused.value.reason == "bad_sky_map"


def test_a_sum_within_one_percent_is_normalised():
    area = 4 * np.pi / 12
    compiled = read_sky_map(multi_order_map([4 + c for c in range(12)], [0.995 / 12 / area] * 12))
    assert compiled.sum_as_given == pytest.approx(0.995)
    assert compiled.level_steps[-1] == pytest.approx(1.0)


@pytest.mark.long
def test_s190814bv_matches_ligo_skymap():
    """LALInference, flat nside 1024; values of ligo.skymap 2.5.4; GCN 25333 says 23 deg2."""
    compiled = shelf_map("GW190814_S190814bv_LALInference.v1.fits.gz")
    assert compiled.searched_area_deg2(0.5) == pytest.approx(4.76, rel=5e-3)
    assert compiled.searched_area_deg2(0.9) == pytest.approx(23.08, rel=5e-3)
    assert compiled.distance_mpc == pytest.approx(267.4, rel=5e-3)
    level = level_at(compiled, 11.888, -25.2888)  # NGC 253
    assert level == pytest.approx(0.30257, abs=1e-4)
    assert compiled.searched_area_deg2(level) == pytest.approx(2.4392, abs=1e-3)


def test_s190425z_matches_ligo_skymap():
    """BAYESTAR; values of ligo.skymap 2.5.4; GCN 24168 says 10,183 deg2."""
    compiled = shelf_map("GW190425_S190425z_bayestar_initial.fits.gz")
    assert compiled.searched_area_deg2(0.5) == pytest.approx(2805.7, rel=1e-3)
    assert compiled.searched_area_deg2(0.9) == pytest.approx(10182.6, rel=1e-3)
    assert compiled.mode() == pytest.approx((242.578, 22.831), abs=1e-3)
    level = level_at(compiled, 258.34145, -9.96447)  # ZTF19aarykkb
    assert level == pytest.approx(0.44143, abs=1e-4)
    assert compiled.searched_area_deg2(level) == pytest.approx(2247.4, rel=1e-3)
    overlap = density_at(compiled, healpix29_of(258.34145, -9.96447)) * 4 * np.pi
    assert overlap == pytest.approx(4.7296, rel=1e-3)


@pytest.mark.parametrize(
    ("systematics", "r90_deg"), [(FLIGHT, 18.20), (GROUND, 12.10), (FINAL, 10.24)]
)
def test_gbm_radii_of_90_percent(systematics, r90_deg):
    """Connaughton+ 2015, statistical error 5 deg."""
    assert error_circle(0, 0, 5, 0.683, systematics).radius_deg(0.9) == pytest.approx(
        r90_deg, abs=0.01
    )


def test_grb170817a_first_position_against_at2017gfo():
    region = error_circle(176.8, -39.8, 11.6, 0.683, FLIGHT)
    assert level_at(region, 197.450354, -23.381484) == pytest.approx(0.8858, abs=1e-3)


@pytest.mark.parametrize("radius_deg", [0.0013, 0.05, 1.0, 20.0, 100.0])
def test_a_circle_holds_its_containment(radius_deg):
    region = error_circle(30.0, 10.0, radius_deg, 0.9)
    # The optical floor of 0.3 arcsec widens arcsecond circles by a little.
    assert region.radius_deg(0.9) == pytest.approx(
        radius_deg, rel=2e-2 if radius_deg < 0.01 else 1e-4
    )
    assert level_at(region, 30.0, 10.0) == pytest.approx(0.0, abs=1e-12)


def test_a_small_circle_is_a_rayleigh_distribution():
    region = error_circle(0.0, 0.0, 1.0, 0.9)
    # 1 - 0.1 ** (theta / r90)^2 at half the radius.
    assert level_at(region, 0.0, 0.5) == pytest.approx(1 - 0.1**0.25, abs=1e-4)


def test_circle_across_zero_and_over_the_pole():
    across = error_circle(359.9, 0.0, 1.0, 0.9)
    assert level_at(across, 0.1, 0.0) == pytest.approx(1 - 0.1 ** (0.2**2), abs=1e-4)
    over = error_circle(0.0, 89.9, 1.0, 0.9)
    assert level_at(over, 180.0, 89.9) == pytest.approx(1 - 0.1 ** (0.2**2), abs=1e-4)


def test_uniform_draws_from_a_circle_have_uniform_levels():
    rng = np.random.default_rng(1)
    region = error_circle(10.0, 0.0, 2.0, 0.9)
    sigma_deg = 2.0 / np.sqrt(-2 * np.log(0.1))
    ra, dec = rng.normal(10.0, sigma_deg, 4000), rng.normal(0.0, sigma_deg, 4000)
    levels = np.sort(region.credible_levels(ra, dec, healpix29_of(ra, dec)))
    assert np.abs(levels - np.linspace(0, 1, 4000)).max() < 0.03


def test_ellipse_axes_and_angle():
    ellipse = ErrorEllipse(0.0, 0.0, 2.0, 1.0, 90.0, 0.9)  # major axis to the east
    assert level_at(ellipse, 2.0, 0.0) == pytest.approx(0.9, abs=1e-4)
    assert level_at(ellipse, 0.0, 1.0) == pytest.approx(0.9, abs=1e-4)
    assert level_at(ellipse, 0.0, 2.0) == pytest.approx(1 - 0.1**4, abs=1e-4)
    assert ellipse.searched_area_deg2(0.9) == pytest.approx(2 * np.pi)
    assert ellipse.cap(0.9).radius_deg == pytest.approx(2.0)


def test_amon_cascade_radius():
    """A 90 % radius has sigma = r90 / 2.146."""
    region = error_circle(0.0, 0.0, 2.146, 0.9)
    assert region.kappas[0] == pytest.approx(1 / np.radians(1.0) ** 2, rel=1e-3)


def test_a_large_file_of_nothing_is_refused_at_once():
    """astropy took 51 s and 2 GB to look for a header in 200 MB of noise."""
    noise = np.random.default_rng(0).bytes(20_000_000)
    table = base_cells_map()
    for payload in (table[:2880] + noise, table[:5760].replace(b"END", b"ENT") + noise):
        with pytest.raises(RejectedRecordError, match=r"cut short|does not end"):
            read_sky_map(payload, MAX_FILE_MAP_BYTES)


@pytest.mark.parametrize("keyword", ["NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "BITPIX", "TFIELDS"])
@pytest.mark.parametrize("value", [2**31 - 1, 2**62, 10**15, -1, "'x'"])
def test_headers_that_lie_are_ignored_or_refused(keyword, value):
    """astropy made objects of 2**31 columns until the machine had no memory left."""
    cells = fits.Column(name="UNIQ", format="K", array=np.arange(4, 16))
    density = fits.Column(name="PROBDENSITY", format="D", array=np.full(12, 1 / (4 * np.pi)))
    file = io.BytesIO()
    table = fits.BinTableHDU.from_columns([cells, density])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(file)
    payload = bytearray(file.getvalue())
    at = payload.index(f"{keyword:8}=".encode(), payload.index(b"XTENSION"))
    payload[at : at + 80] = f"{keyword:8}= {value:>20}".ljust(80).encode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(RejectedRecordError):
            assert len(read_sky_map(bytes(payload)).first) == 12
            assert keyword != "TFIELDS"


@pytest.mark.parametrize("radius_deg", [5e-324, 1e-160, 1e-30])
def test_a_circle_of_no_size_is_a_point(radius_deg):
    """1e-160 squared is 0, and the division ended mma's reading of notices for good."""
    assert error_circle(10.0, 20.0, radius_deg, 0.9) == error_circle(10.0, 20.0, 0.0, 0.9)
