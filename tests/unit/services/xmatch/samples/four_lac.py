"""Made-up rows in the form of table-4LAC-DR3-h.fits."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "Source_Name": ["4FGL J9901.0+1000", "4FGL J9902.0-1000"],
    "RAJ2000": [10.1, 20.1],
    "DEJ2000": [10.1, -10.1],
    "CLASS": ["bll", "FSRQ"],
    "RA_Counterpart": [10.0, 20.0],
    "DEC_Counterpart": [10.0, -10.0],
    "Redshift": [0.5, float("-inf")],
}


def write(path):
    Table(ROWS).write(path, format="fits")


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.000277777777777), [("4FGL J9901.0+1000", "bll", 1.0)]),
    ((20.0, -10.0), [("4FGL J9902.0-1000", "FSRQ", 0.0)]),
    ((10.1, 10.1), []),
]
ROW = {"redshift": 0.5, "redshift_kind": 1}
PHOTOMETRY = {}
