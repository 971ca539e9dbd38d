from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle

from services.xmatch.designation import designations


def test_known_positions():
    ra = np.array([0.812667, 15 * (15.04 / 3_600), 359.9999999, 0.0, np.nan, -0.5])
    dec = np.array([16.146, -0.001, 90.0, -90.0, 0.0, 95.0])
    assert designations(ra, dec).to_pylist() == [
        "J000315.04+160845.6",
        "J000015.04-000003.6",
        "J235959.99+900000.0",
        "J000000.00-900000.0",
        None,
        None,
    ]


def test_agrees_with_astropy_to_the_last_digit():
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, 2_000), rng.uniform(-90, 90, 2_000)
    text = designations(ra, dec).to_pylist()
    back_ra = Angle([f"{t[1:3]}h{t[3:5]}m{t[5:10]}s" for t in text]).deg
    back_dec = Angle([f"{t[10:13]}d{t[13:15]}m{t[15:]}s" for t in text]).to_value(u.deg)
    assert ((ra - back_ra >= -1e-9) & (ra - back_ra < 0.01 * 15 / 3_600 + 1e-9)).all()
    low = np.abs(dec) - np.abs(back_dec)
    assert ((low >= -1e-9) & (low < 0.1 / 3_600 + 1e-9)).all()
