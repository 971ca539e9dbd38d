"""Where sources are, and when they are looked at."""

import numpy as np
import pytest

from services.simulate import catalogs
from services.simulate.cadence import altitude_deg, plan_visits
from services.simulate.fields import FieldGrid
from services.simulate.telescopes import LSST, ZTF
from shared.light_curves.bands import BANDS
from shared.sky.separation import separation_arcsec


def test_fields_tile_the_sky():
    grid = FieldGrid(6.86)
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 5000), np.degrees(np.arcsin(rng.uniform(-1, 1, 5000)))
    number, across, up = grid.locate(ra, dec)
    assert ((across >= 0) & (across < 1) & (up >= 0) & (up < 1)).all()
    back_ra, back_dec = grid.position_in(number, across, np.full(5000, 0.5))
    assert np.abs(back_ra - ra).max() < 1e-9
    assert np.abs(back_dec - dec).max() < 6.86
    assert (grid.locate(back_ra, back_dec)[0] == number).all()


@pytest.mark.parametrize("telescope", [ZTF, LSST])
def test_the_plan_is_observable(telescope):
    visits = plan_visits(telescope, 61_041, np.random.default_rng(1), 40)
    assert len(visits.fields) == 40
    ra, dec = visits.grid.position_in(visits.fields, np.full(40, 0.5), np.full(40, 0.5))
    field = np.repeat(np.arange(40), np.diff(visits.offsets))
    tonight = visits.is_tonight
    up = altitude_deg(telescope, visits.mjd_utc, ra[field], dec[field])
    assert (up[tonight] > 20.0).all()
    starts = np.sort(visits.mjd_utc[tonight]) * 86_400.0
    assert np.diff(starts).min() > telescope.slot_s - 1.1  # whole seconds
    assert {BANDS[b] for b in visits.band} <= set(telescope.depth_mag)
    assert (np.diff(visits.mjd_utc)[np.diff(field) == 0] > 0).all()
    assert np.bincount(field[tonight]).min() == 2
    # Clouds: some nights of the month have no visit at all.
    nights = np.unique(np.floor(visits.mjd_utc + 0.2))
    assert 8 < len(nights) < 31


def test_a_target_too_low_is_refused():
    with pytest.raises(ValueError, match="too low for ztf"):
        plan_visits(ZTF, 61_041, np.random.default_rng(1), 20, [(10.0, -75.0)])


def test_variables_lie_on_catalogued_stars(ztf_night):
    stars = catalogs.variable_stars()
    names = np.array(ztf_night.model_names)[ztf_night.model_code]
    checked = 0
    for i in np.flatnonzero(np.isin(names, ["rr_lyrae", "eclipsing_binary"]))[:12]:
        ra, dec = ztf_night.sources.ra_deg[i], ztf_night.sources.dec_deg[i]
        near = np.flatnonzero(
            (np.abs(stars.dec_deg - dec) < 1e-6) & (np.abs(stars.ra_deg - ra) < 1e-6)
        )
        kinds = {name for name, code in stars.classes.items() if code in stars.class_code[near]}
        assert any(kind.startswith(("RR", "E")) for kind in kinds)
        checked += 1
    assert checked == 12


def test_supernovae_lie_within_their_hosts(ztf_night):
    names = np.array(ztf_night.model_names)[ztf_night.model_code]
    rows = np.isin(names, ["type_ia", "core_collapse", "kilonova"])
    s = ztf_night.sources.take(rows)
    away = np.hypot(s.host_east_arcsec, s.host_north_arcsec)
    assert (away <= 3.2 * s.host_radius_arcsec + 1e-6).all()
    galaxies = catalogs.galaxies()
    nuclei_dec = s.dec_deg + s.host_north_arcsec / 3600.0
    nuclei_ra = s.ra_deg + s.host_east_arcsec / 3600.0 / np.cos(np.radians(s.dec_deg))
    on_catalog = []
    for ra, dec in zip(nuclei_ra, nuclei_dec, strict=True):
        strip = np.abs(galaxies.dec_deg - dec) < 0.01
        away = separation_arcsec(ra, dec, galaxies.ra_deg[strip], galaxies.dec_deg[strip])
        on_catalog.append(bool((away < 2.0).any()))
    assert 0.2 < np.mean(on_catalog) < 0.95


def test_noise_is_as_deep_as_it_says(ztf_night):
    visit = ztf_night.point_visit
    faint = np.isnan(ztf_night.sources.star_mag[ztf_night.point_source])
    asteroid = ztf_night.model_names.index("asteroid")
    empty = faint & (ztf_night.model_code[ztf_night.point_source] == asteroid)
    empty &= ~ztf_night.visits.is_tonight[visit]
    pull = ztf_night.flux_njy[empty] / ztf_night.flux_err_njy[empty]
    assert len(pull) > 300
    assert np.std(pull) == pytest.approx(1.0, abs=0.1)
    assert ztf_night.flux_err_njy[empty] == pytest.approx(
        ztf_night.visits.sigma_njy[visit[empty]], rel=0.05
    )
