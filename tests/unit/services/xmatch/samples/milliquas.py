"""Made-up rows in the form of milliquas.fits."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "RA": [10.0, 20.0],
    "DEC": [10.0, -5.0],
    "NAME": ["MADE UP 1", "MADE UP 2"],
    "TYPE": ["QRX", "A"],
    "RMAG": [19.5, 0.0],
    "BMAG": [20.0, 0.0],
    "Z": [2.1, 0.0],
}


def write(path):
    Table(ROWS).write(path, format="fits")


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("MADE UP 1", "QRX", 0.0)]),
    ((20.0, -4.999472222222222), [("MADE UP 2", "A", 1.9)]),
    ((20.0, -4.999416666666667), []),
]
ROW = {"redshift": 2.1, "magnitude": 19.5}
PHOTOMETRY = {}
