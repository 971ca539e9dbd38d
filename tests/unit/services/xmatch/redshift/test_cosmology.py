from __future__ import annotations

import numpy as np
import pytest

from services.xmatch.redshift.cosmology import kpc_per_arcsec, luminosity_distance_mpc


def test_agrees_with_astropy():
    cosmology = pytest.importorskip("astropy.cosmology").Planck18
    z = np.geomspace(0.002, 10.0, 200)
    expected = cosmology.luminosity_distance(z).to_value("Mpc")
    assert luminosity_distance_mpc(z) == pytest.approx(expected, rel=1e-3)
    scale = cosmology.kpc_proper_per_arcmin(z).to_value("kpc/arcsec")
    assert kpc_per_arcsec(expected, z) == pytest.approx(scale, rel=1e-6)


def test_says_nothing_where_redshifts_are_not_distances():
    assert np.isnan(luminosity_distance_mpc([np.nan, -0.001, 0.0019, 25.0])).all()
    assert luminosity_distance_mpc(0.002) == pytest.approx(8.87, rel=1e-2)
    assert kpc_per_arcsec(10.0, np.nan) == pytest.approx(0.04848, rel=1e-3)
