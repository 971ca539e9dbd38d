"""Made-up rows in the form of gll_psc_v35.fit."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "Source_Name": ["4FGL J0040.0+1000", "4FGL J0120.0-0500e"],
    "RAJ2000": [10.0, 20.0],
    "DEJ2000": [10.0, -5.0],
    "Conf_95_SemiMajor": [0.1, float("-inf")],
    "Conf_95_SemiMinor": [0.05, float("-inf")],
    "Conf_95_PosAng": [90.0, float("-inf")],
    "CLASS1": ["bll  ", ""],
}


def write(path):
    Table(ROWS).write(path, format="fits")


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.09138839507085, 10.0), [("4FGL J0040.0+1000", "bll", 323.99)]),
    ((10.0, 10.09), []),
    ((10.0, 10.04), [("4FGL J0040.0+1000", "bll", 144.0)]),
    ((20.0, -4.983611111111111), [("4FGL J0120.0-0500e", None, 59.0)]),
    ((20.0, -4.983055555555556), []),
]
ROW = {"error_major_arcsec": 360.0, "error_minor_arcsec": 180.0, "error_angle_deg": 90.0}
PHOTOMETRY = {}
TOLERANCE_ARCSEC = 0.05
