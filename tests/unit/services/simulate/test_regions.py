"""Events: their regions, and counterparts that are first seen after them."""

import base64
import io

import numpy as np
import orjson
import pytest
from astropy.io import fits

from services.simulate.plants import plan_plants
from services.simulate.population import simulate_night
from services.simulate.regions import (
    SkyMap,
    event_of_notice,
    event_of_position,
    positions_of29,
)
from services.simulate.telescopes import LSST, ZTF
from shared.light_curves.photometry import mjd_utc_of_tai
from shared.sky.healpix import healpix29_of, healpix_of
from shared.sky.separation import separation_arcsec


def test_cells_and_positions_agree():
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 400), np.degrees(np.arcsin(rng.uniform(-1, 1, 400)))
    cells = healpix29_of(ra, dec)
    back_ra, back_dec = positions_of29(cells)
    assert separation_arcsec(ra, dec, back_ra, back_dec).max() < 1e-3


def test_a_circle_holds_what_it_gives():
    event = event_of_position("359.9,88.0,3.0,61041.2")
    ra, dec = event.region.sample(np.random.default_rng(0), 500)
    away = separation_arcsec(359.9, 88.0, ra, dec) / 3600.0
    assert away.max() < 2.1 + 1e-9
    assert event.region.contains(ra, dec).all()
    assert mjd_utc_of_tai(event.mjd_tai) == pytest.approx(61041.2)


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "400,0,1,61000", "10,0,-1,61000"])
def test_bad_positions_are_refused(text):
    with pytest.raises(ValueError, match=text.split(",")[0]):
        event_of_position(text)


def lvk_notice(tmp_path, ra, dec, time):
    """A made-up LVK notice: all probability in a few order-4 cells, the rest of the sky empty."""
    cells = np.unique(healpix_of(4, np.array([ra, ra + 3.0]), np.array([dec, dec + 3.0])))
    every = np.arange(12 * 4**4)
    density = np.where(np.isin(every, cells), 12 * 4**4 / (4 * np.pi * len(cells)), 0.0)
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("UNIQ", "K", array=every + 4 * 4**4),
            fits.Column("PROBDENSITY", "D", array=density),
        ]
    )
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(file)
    notice = {
        "superevent_id": "MS260101a",
        "event": {"time": time, "skymap": base64.b64encode(file.getvalue()).decode()},
    }
    path = tmp_path / "notice.json"
    path.write_bytes(orjson.dumps(notice))
    return path, cells


def test_a_sky_map_gives_its_credible_region(tmp_path):
    path, cells = lvk_notice(tmp_path, 100.0, 20.0, "2026-01-01T04:00:00.000Z")
    event = event_of_notice(path)
    assert event.name == "MS260101a"
    assert mjd_utc_of_tai(event.mjd_tai) == pytest.approx(61041.0 + 4 / 24)
    assert isinstance(event.region, SkyMap)
    ra, dec = event.region.sample(np.random.default_rng(0), 200)
    assert np.isin(healpix_of(4, ra, dec), cells).all()
    assert event.region.contains(ra, dec).all()
    assert not event.region.contains(np.array([280.0]), np.array([-20.0])).any()


def test_unified_notices_give_a_circle(tmp_path):
    path = tmp_path / "ep.json"
    notice = {
        "trigger_time": "2026-01-01T03:00:00Z",
        "ra": 120.0,
        "dec": 10.0,
        "ra_dec_error": 0.05,
    }
    path.write_bytes(orjson.dumps(notice))
    event = event_of_notice(path)
    assert event.region.contains(np.array([120.01]), np.array([10.0])).all()
    path.write_bytes(b"{}")
    with pytest.raises(ValueError, match="neither"):
        event_of_notice(path)


@pytest.mark.parametrize(("telescope", "where"), [(ZTF, "150.1,12.2"), (LSST, "80.0,-30.0")])
def test_counterparts_are_first_seen_after_the_event(telescope, where, ztf_night):
    del ztf_night  # skips when the catalogs are missing
    event = event_of_position(f"{where},4.0,61041.21")
    night_mjd, plants = plan_plants(telescope, event, 1, None)
    after = float(mjd_utc_of_tai(event.mjd_tai))
    night = simulate_night(telescope, night_mjd, 100, 1, plants, after)
    assert [night.model_names[c] for c in night.model_code[:2]] == ["kilonova", "afterglow"]
    for source in (0, 1):
        ra, dec = night.sources.ra_deg[source], night.sources.dec_deg[source]
        assert event.region.contains(np.array([ra]), np.array([dec])).all()
        points = np.arange(night.offsets[source], night.offsets[source + 1])
        seen = night.visits.mjd_tai[night.point_visit[points[night.is_detected[points]]]]
        assert len(seen) >= 2
        assert event.mjd_tai < seen.min() < event.mjd_tai + 2.0
        # It was looked at before, and was not there.
        assert (night.visits.mjd_tai[night.point_visit[points]] < event.mjd_tai).any()


def test_an_event_out_of_sight_is_refused():
    event = event_of_position("10.0,-80.0,1.0,61041.2")
    with pytest.raises(ValueError, match="not up for ztf"):
        plan_plants(ZTF, event, 1, None)
