"""Made-up rows in the form of gwgc_good.csv.gz."""

from __future__ import annotations

import gzip

TEXT = """\
NED_name,RAJ2000,DEJ2000,maj,e_maj,min,e_min,PAHyp,Dist,e_Dist,a_b,e_a_b
UGC99001,10.0,10.0,2.0,0.1,1.0,0.1,180.0,72.46,10.87,2.0,0.1
PGC099002,20.0,-5.0,0.1,0.05,0.1,0.05,0.0,50.0,5.0,1.0,0.1
PGC099003,30.0,95.0,0.1,0.05,0.1,0.05,0.0,50.0,5.0,1.0,0.1
"""


def write(path):
    path.write_bytes(gzip.compress(TEXT.encode()))


BAD_ROWS = 1
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.016388888888889), [("UGC99001", None, 59.0)]),
    ((20.0, -4.998638888888889), [("PGC099002", None, 4.9)]),
    ((20.0, -4.998583333333333), []),
]
ROW = {
    "distance_mpc": 72.46,
    "major_axis_arcsec": 120.0,
    "minor_axis_arcsec": 60.0,
    "position_angle_deg": 0.0,
}
PHOTOMETRY = {}
