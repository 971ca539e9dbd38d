"""MOCs: read in three forms, cut into segments, looked up exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mocpy import MOC

from services.xmatch.watchlists.entries import WatchlistError
from services.xmatch.watchlists.segments import Segments, cut_sphere, regions_at
from services.xmatch.watchlists.sky_regions import LAST_CELL, moc_format, read_region, sky_fraction
from shared.sky.healpix import healpix29_of


@pytest.mark.parametrize("kind", ["fits", "ascii", "json"])
def test_all_forms_of_a_moc_are_the_same_region(tmp_path, kind):
    moc = MOC.from_str("3/1 5 7-9 11/9999999")
    path = tmp_path / "footprint"
    moc.save(str(path), format=kind)
    assert moc_format(path) == kind
    ranges = read_region(path)
    assert ranges.dtype == np.int64
    assert ranges.tolist() == np.asarray(moc.to_depth29_ranges).tolist()
    assert sky_fraction(ranges) == pytest.approx(moc.sky_fraction)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ra,dec\n1,2\n", "no MOC"),
        ('{"3": [1, "x"]}', "cannot be read"),
        ('{"3": ', "cannot be read"),
        ("3/", "covers nothing"),
        ("3/99999999", "cannot be read|not all on the sphere"),
        ("99/1", "order 99; the deepest is 29"),
    ],
)
def test_what_is_no_region_is_refused(tmp_path, text, words):
    path = tmp_path / "bad"
    path.write_text(text)
    with pytest.raises(WatchlistError, match=words):
        read_region(path)


def test_a_cut_fits_moc_is_refused(tmp_path):
    path = tmp_path / "cut.fits"
    MOC.from_str("3/1 5 7-9 11/9999999").save(str(path), format="fits")
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(WatchlistError, match="is cut short"):
        read_region(path)


def test_positions_are_in_the_region_that_mocpy_says():
    rng = np.random.default_rng(3)
    mocs = [
        MOC.from_cone(lon, lat, radius=radius, max_depth=12)
        for lon, lat, radius in zip(
            *_lonlat([0.0, 120.0, 359.9, 45.0]), _angles([5, 20, 1, 60]), strict=True
        )
    ]
    segments = cut_sphere([np.asarray(m.to_depth29_ranges, np.int64) for m in mocs])
    ra_deg = rng.uniform(0, 360, 20_000)
    dec_deg = np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000)))
    offsets, codes = regions_at(segments, healpix29_of(ra_deg, dec_deg))
    found = np.zeros((20_000, len(mocs)), bool)
    found[np.repeat(np.arange(20_000), np.diff(offsets)), codes] = True
    expected = np.stack([m.contains_lonlat(*_lonlat_pair(ra_deg, dec_deg)) for m in mocs], axis=1)
    assert (found == expected).all()
    assert found.any(axis=0).all()


def _lonlat(ra_deg):
    import astropy.units as u
    from astropy.coordinates import Latitude, Longitude

    return Longitude(ra_deg * u.deg), Latitude([0.0, -45.0, 89.0, 10.0] * u.deg)


def _lonlat_pair(ra_deg, dec_deg):
    import astropy.units as u

    return ra_deg * u.deg, dec_deg * u.deg


def _angles(values):
    import astropy.units as u
    from astropy.coordinates import Angle

    return Angle(values * u.deg)


RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=5)


def as_ranges(pairs):
    covered = np.zeros(60, bool)
    for first, length in pairs:
        covered[first : first + length] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], covered.astype(np.int8), [0]])))
    return edges.reshape(-1, 2).astype(np.int64), covered


@settings(deadline=None)
@given(st.lists(RANGES, max_size=6))
def test_every_cell_knows_its_regions(regions):
    made = [as_ranges(pairs) for pairs in regions]
    segments = cut_sphere([ranges for ranges, _ in made])
    cells = np.concatenate([np.arange(60), [-1, LAST_CELL - 1]])
    offsets, codes = regions_at(segments, cells)
    for row, cell in enumerate(cells):
        inside = [k for k, (_, covered) in enumerate(made) if 0 <= cell < 60 and covered[cell]]
        assert codes[offsets[row] : offsets[row + 1]].tolist() == inside


def test_too_much_together_is_refused(monkeypatch):
    monkeypatch.setattr("services.xmatch.watchlists.segments.MOST_COVERS", 10)
    fine = np.arange(40, dtype=np.int64).reshape(-1, 2)
    with pytest.raises(WatchlistError, match="degrade"):
        cut_sphere([fine])
    assert isinstance(cut_sphere([fine[:5]]), Segments)
