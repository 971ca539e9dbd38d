"""Made-up rows in the form of SIMBAD's table basic."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "main_id": ["* made up A", "made up galaxy"],
    "ra": [10.0, 20.0],
    "dec": [10.0, -5.0],
    "otype_txt": ["RR*", "G"],
    "rvz_redshift": [float("nan"), 0.02],
    "rvz_nature": ["", "s"],
    "galdim_majaxis": [float("nan"), 2.0],
    "galdim_minaxis": [float("nan"), 1.0],
    "galdim_angle": [0, 45],
    "pmra": [float("nan"), float("nan")],
    "pmdec": [float("nan"), float("nan")],
}


def write(path):
    Table(ROWS).write(path, format="votable")


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((20.0, -4.986111111111111), [("made up galaxy", "G", 50.0)]),
    ((10.0, 10.000416666666666), [("* made up A", "RR*", 1.5)]),
    ((10.0, 10.000694444444445), []),
]
ROW = {
    "redshift": 0.02,
    "redshift_kind": 1,
    "major_axis_arcsec": 120.0,
    "minor_axis_arcsec": 60.0,
    "position_angle_deg": 45.0,
}
PHOTOMETRY = {}
