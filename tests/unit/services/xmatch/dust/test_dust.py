"""Dust maps: both kinds of files, made here, against astropy and cdshealpix."""

from __future__ import annotations

import numpy as np
import pytest

from services.xmatch.dust import open_dust_map
from services.xmatch.dust.base import DustMapError
from services.xmatch.dust.galactic import galactic_of
from services.xmatch.dust.healpix_map import ring_of_nested
from services.xmatch.surroundings import open_dust
from shared.sky.separation import unit_vectors

fits = pytest.importorskip("astropy.io.fits")
rng = np.random.default_rng(7)
RA, DEC = rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
VECTORS = unit_vectors(RA, DEC)


def galactic():
    place = pytest.importorskip("astropy.coordinates").SkyCoord(RA, DEC, unit="deg").galactic
    return place.l.deg, place.b.deg


def test_galactic_coordinates():
    longitude, latitude, sine = galactic_of(VECTORS)
    expected_l, expected_b = galactic()
    assert latitude == pytest.approx(expected_b, abs=1e-9)
    assert np.cos(np.radians(longitude - expected_l)) == pytest.approx(np.ones(300))
    assert sine == pytest.approx(np.sin(np.radians(expected_b)))


def write_hemispheres(folder, value_of):
    """SFD's layout at 256 pixels a side, with ``value_of`` (longitude, latitude) in them."""
    size, scale = 256, 128.0
    y, x = np.mgrid[0:size, 0:size].astype(float)
    for sign, name in ((1, "ngp"), (-1, "sgp")):
        dx, dy = (x - 127.5) / scale, -sign * (y - 127.5) / scale
        sine = sign * (1.0 - dx**2 - dy**2)
        latitude = np.degrees(np.arcsin(np.clip(sine, -1, 1)))
        image = fits.PrimaryHDU(value_of(np.degrees(np.arctan2(dy, dx)), latitude).astype(">f4"))
        image.header.update(LAM_NSGP=sign, LAM_SCAL=scale, CRPIX1=128.5, CRPIX2=128.5)
        image.writeto(folder / f"SFD_dust_4096_{name}.fits")


def test_the_zenithal_map_is_read_between_pixels(tmp_path):
    def smooth(longitude, latitude):
        return 0.5 + 0.3 * np.sin(np.radians(latitude)) + 0.1 * np.cos(np.radians(longitude)) * (
            np.cos(np.radians(latitude)))  # fmt: skip

    write_hemispheres(tmp_path, smooth)
    found = open_dust_map(tmp_path).ebv_mag(VECTORS)
    assert found == pytest.approx(smooth(*galactic()), abs=2e-3)
    assert found.std() > 0.1


@pytest.mark.parametrize("sign", ["ngp", "sgp"])
def test_a_missing_hemisphere_is_named(tmp_path, sign):
    write_hemispheres(tmp_path, lambda lon, lat: lat)
    (tmp_path / f"SFD_dust_4096_{sign}.fits").unlink()
    with pytest.raises(DustMapError, match=f"SFD_dust_4096_{sign}"):
        open_dust_map(tmp_path)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_ring_numbers_agree_with_cdshealpix(order):
    nested = pytest.importorskip("cdshealpix.nested")
    cells = np.arange(12 * 4**order)
    expected = pytest.importorskip("cdshealpix").to_ring(cells, order)
    assert ring_of_nested(cells, order).tolist() == expected.tolist()
    assert nested is not None


def write_healpix(path, values, *, ordering, frame, name="EBV", per_row=1, others=()):
    shape = values if per_row == 1 else values.reshape(-1, per_row)
    columns = [fits.Column(n, "E", array=np.zeros(len(values))) for n in others]
    columns.append(fits.Column(name, f"{per_row}E", array=shape))
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(ORDERING=ordering, COORDSYS=frame, PIXTYPE="HEALPIX")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
@pytest.mark.parametrize("frame", ["G", "C"])
@pytest.mark.parametrize("per_row", [1, 1024])
def test_healpix_maps_of_every_layout(tmp_path, ordering, frame, per_row):
    cdshealpix = pytest.importorskip("cdshealpix")
    units = pytest.importorskip("astropy.units")
    coordinates = pytest.importorskip("astropy.coordinates")
    cells = np.arange(12 * 4**5)
    values = rng.uniform(0, 3, len(cells))
    stored = values if ordering == "NESTED" else values[cdshealpix.from_ring(cells, 5)]
    write_healpix(tmp_path / "m.fits", stored, ordering=ordering, frame=frame, per_row=per_row)
    longitude, latitude = galactic() if frame == "G" else (RA, DEC)
    expected = cdshealpix.nested.lonlat_to_healpix(
        coordinates.Longitude(longitude, units.deg), coordinates.Latitude(latitude, units.deg), 5
    )
    found = open_dust_map(tmp_path / "m.fits").ebv_mag(VECTORS)
    assert found == pytest.approx(values[expected], rel=1e-6)


def test_a_hole_is_not_a_number(tmp_path):
    values = np.full(48, 0.5)
    values[::2], values[1::4] = -1.6375e30, np.nan
    write_healpix(tmp_path / "m.fits", values, ordering="NESTED", frame="G")
    found = open_dust_map(tmp_path / "m.fits").ebv_mag(VECTORS)
    assert np.isnan(found).any()
    assert set(found[np.isfinite(found)]) == {0.5}


def test_the_column_must_be_clear(tmp_path):
    values = np.full(48, 0.5)
    layout = {"ordering": "RING", "frame": "G", "others": ("TAU", "BETA")}
    write_healpix(tmp_path / "clear.fits", values, **layout)
    assert open_dust_map(tmp_path / "clear.fits").ebv_mag(VECTORS).max() == 0.5
    write_healpix(tmp_path / "unclear.fits", values, name="RADIANCE", **layout)
    with pytest.raises(DustMapError, match="TAU, BETA, RADIANCE"):
        open_dust_map(tmp_path / "unclear.fits")


@pytest.mark.parametrize("cells", [40, 192 * 3])
def test_refuses_part_of_a_sky(tmp_path, cells):
    write_healpix(tmp_path / "m.fits", np.zeros(cells), ordering="RING", frame="G")
    with pytest.raises(DustMapError, match="not the whole sky"):
        open_dust_map(tmp_path / "m.fits")


def test_refuses_other_files_and_goes_on_without(tmp_path):
    (tmp_path / "text").write_text("not FITS")
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "image.fits")
    write_healpix(tmp_path / "e.fits", np.zeros(48), ordering="RING", frame="E")
    for name in ("text", "image.fits", "e.fits", "nothing"):
        with pytest.raises(DustMapError, match=name):
            open_dust_map(tmp_path / name)
        assert open_dust(tmp_path / name) is None
    assert open_dust(None) is None
