"""Made-up rows in the form of NEDLVS_20260424.fits."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "objname": ["MADE UP GALAXY", "WISEA J9"],
    "ra": [10.0, 20.0],
    "dec": [10.0, -5.0],
    "objtype": ["G", "G"],
    "z": [0.01, 0.2],
    "z_unc": [0.0001, float("nan")],
    "z_tech": ["SPEC", "PHOT"],
    "z_qual": [False, True],
    "DistMpc": [43.0, 900.0],
    "Diam": [60.0, float("nan")],
    "Diam_ba": [0.5, float("nan")],
    "Diam_pa": [170.0, float("nan")],
    "m_Ks": [10.0, float("nan")],
    "m_Ks_unc": [0.1, float("nan")],
}


def write(path):
    Table(ROWS).write(path, format="fits")


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.008055555555556), [("MADE UP GALAXY", "G", 29.0)]),
    ((20.0, -4.999194444444444), [("WISEA J9", "G", 2.9)]),
    ((20.0, -4.999138888888889), []),
]
ROW = {
    "redshift": 0.01,
    "redshift_err": 0.0001,
    "redshift_kind": 1,
    "distance_mpc": 43.0,
    "major_axis_arcsec": 60.0,
    "minor_axis_arcsec": 30.0,
    "position_angle_deg": 170.0,
}
PHOTOMETRY = {"ks_mag": 11.85}
