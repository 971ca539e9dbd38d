"""Made-up rows in the form of the AllWISE Source Catalog."""

from __future__ import annotations

TEXT = """\
designation,ra,dec,w1mpro,w1sigmpro,w2mpro,w2sigmpro,w3mpro,w3sigmpro
J004000.00+100000.0,10.0,10.0,14.0,0.03,13.0,0.04,10.0,0.1
J012000.00-050000.0,20.0,-5.0,16.0,0.05,15.9,,,
"""


def write(path):
    path.write_text(TEXT)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("J004000.00+100000.0", None, 0.0)]),
    ((20.0, -4.999472222222222), [("J012000.00-050000.0", None, 1.9)]),
    ((20.0, -4.999416666666667), []),
]
ROW = {"magnitude": 14.0}
PHOTOMETRY = {"w1_mag": 16.699, "w2_mag": 16.339, "w2_mag_err": 0.04}
