"""Made-up rows in the form of the 2MASS Extended Source Catalog."""

from __future__ import annotations

TEXT = """\
designation,ra,dec,r_k20fe,k_m_k20fe,j_m_k20fe,h_m_k20fe,sup_ba,sup_phi
00400000+1000000,10.0,10.0,30.0,11.0,12.0,11.5,0.5,-30
01200000-0500000,20.0,-5.0,2.0,14.0,15.0,14.5,1.0,0
"""


def write(path):
    path.write_text(TEXT)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.008055555555556), [("00400000+1000000", None, 29.0)]),
    ((20.0, -4.999194444444444), [("01200000-0500000", None, 2.9)]),
    ((20.0, -4.999138888888889), []),
]
ROW = {
    "magnitude": 11.0,
    "major_axis_arcsec": 60.0,
    "minor_axis_arcsec": 30.0,
    "position_angle_deg": 150.0,
}
PHOTOMETRY = {"ks_mag": 12.85}
