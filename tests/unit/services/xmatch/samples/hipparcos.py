"""Made-up stars in the form of hip2.dat: lines of fixed columns, radians."""

from __future__ import annotations

from math import radians


def line(hip, ra_deg, dec_deg, pm_ra, pm_dec, hp):
    text = (
        f"{hip:6d}   5 0 1 {radians(ra_deg):13.10f} {radians(dec_deg):13.10f}    4.55 "
        f"{pm_ra:8.2f} {pm_dec:8.2f}   1.29   0.66   1.33   1.25   0.75  90  0.91  0    0.0    0 "
    )
    return f"{text:129s}{hp:7.4f}".ljust(276) + "\n"


def write(path):
    path.write_text(line(1, 10.0, 10.0, -4.55, -1.19, 9.2) + line(2, 20.0, -5.0, 10.0, 20.0, 3.5))


BAD_ROWS = 0
LEFT_OUT = {}
# The alerts of the contract test have an epoch of their own: a few tenths of an arcsecond.
EXPECTED = [
    ((10.0, 10.0), [("HIP 1", None, 0.16)]),
    ((20.0, -5.0), [("HIP 2", None, 0.76)]),
    ((20.0, -5.0 - 6 / 3_600), []),
]
TOLERANCE_ARCSEC = 0.05
ROW = {"magnitude": 9.2, "pm_ra_masyr": -4.55, "pm_dec_masyr": -1.19}
PHOTOMETRY = {}
