"""Made-up rows in the form of the 2MASS Point Source Catalog."""

from __future__ import annotations

TEXT = """\
ra,dec,designation,j_m,j_msigcom,h_m,h_msigcom,k_m,k_msigcom
10.0,10.0,00400000+1000000,14.0,0.03,13.5,0.04,13.25,0.05
20.0,-5.0,01200000-0500000,15.0,0.03,,,,
"""


def write(path):
    path.write_text(TEXT)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("00400000+1000000", None, 0.0)]),
    ((20.0, -4.999472222222222), [("01200000-0500000", None, 1.9)]),
    ((20.0, -4.999416666666667), []),
]
ROW = {"magnitude": 14.0}
PHOTOMETRY = {"j_mag": 14.91, "ks_mag": 15.1, "ks_mag_err": 0.05}
