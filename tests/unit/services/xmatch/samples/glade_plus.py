"""Made-up rows in the form of GLADE+.txt: forty columns parted by blanks."""

from __future__ import annotations

TEXT = """\
1 99001 null null null null null G 10.0 10.0 12.5 \
0.1 0 -20.1 10.0 0.02 9.5 0.02 9.25 0.02 9.0 0.02 \
9.1 0.02 0 null null 0.01 0.0098 0 null 0.0001 43.0 0.5 3 1.5 0.2 0 null null
2 null null null null null null Q 20.0 -5.0 null \
null null null null null null null null null null null \
null null null null null 1.5 1.5 0 null null 11000.0 null 1 null null null null null
"""


def write(path):
    path.write_text(TEXT)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("GLADE+ 1", "G", 0.0)]),
    ((20.0, -4.999194444444444), [("GLADE+ 2", "Q", 2.9)]),
    ((20.0, -4.999138888888889), []),
]
ROW = {
    "redshift": 0.01,
    "redshift_err": 0.0001,
    "redshift_kind": 1,
    "distance_mpc": 43.0,
    "magnitude": 12.5,
}
PHOTOMETRY = {"j_mag": 10.91, "w1_mag": 11.699}
