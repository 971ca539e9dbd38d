"""Made-up rows in the form of zall-pix-iron.fits."""

from __future__ import annotations

from astropy.table import Table

ROWS = {
    "TARGETID": [39627001, 39627002, 39627003, 39627001],
    "TARGET_RA": [10.0, 20.0, 30.0, 10.0],
    "TARGET_DEC": [10.0, -5.0, 1.0, 10.0],
    "Z": [0.5, 0.0001, 1.0, 0.6],
    "ZERR": [0.0001, 1e-05, 0.001, 0.0001],
    "ZWARN": [0, 0, 4, 0],
    "SPECTYPE": ["GALAXY", "STAR", "QSO", "GALAXY"],
    "ZCAT_PRIMARY": [True, True, True, False],
    "FLUX_R": [10.0, 1.0, 1.0, 10.0],
}


def write(path):
    Table(ROWS).write(path, format="fits")


BAD_ROWS = 0
LEFT_OUT = {"ZWARN is not 0": 1, "ZCAT_PRIMARY is false": 1}
EXPECTED = [
    ((10.0, 10.0), [("39627001", "GALAXY", 0.0)]),
    ((20.0, -4.999611111111111), [("39627002", "STAR", 1.4)]),
    ((30.0, 1.0), []),
]
ROW = {"redshift": 0.5, "redshift_err": 0.0001, "redshift_kind": 1}
PHOTOMETRY = {"r_mag": 20.0}
