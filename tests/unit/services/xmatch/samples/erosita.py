"""Made-up rows in the form of eRASS1_Main.v1.1.fits."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "IAUNAME": ["1eRASS J004000.0+100000", "1eRASS J012000.0-050000"],
    "RA": [10.0, 20.0],
    "DEC": [10.0, -5.0],
    "POS_ERR": [4.0, 0.5],
}


def write(path):
    Table(ROWS).write(path, format="fits")


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.002694444444444), [("1eRASS J004000.0+100000", None, 9.7)]),
    ((10.0, 10.00275), []),
    ((20.0, -4.999472222222222), [("1eRASS J012000.0-050000", None, 1.9)]),
]
ROW = {"error_major_arcsec": 9.7908, "error_minor_arcsec": 9.7908}
PHOTOMETRY = {}
