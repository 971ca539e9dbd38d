"""Made-up rows in the form of fink-science's vsx.parquet."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq


def write(path):
    rows = {
        "RAJ2000": [10.0, 359.99999, 200.0, None],
        "DEJ2000": [-5.5, 0.0, 89.99999, 1.0],
        "VType": ["RRAB      ", "EW/KW     ", "          ", "M         "],
    }
    pq.write_table(pa.table(rows), path)


BAD_ROWS = 1
LEFT_OUT = {}
# RA, Dec of an alert; then source id, class, separation in arcsec of what it must match.
EXPECTED = [
    ((10.0, -5.5 + 1.0 / 3_600), [("J004000.00-053000.0", "RRAB", 1.0)]),
    ((10.0, -5.5 + 1.6 / 3_600), []),
    ((0.0000100, 0.0), [("J235959.99+000000.0", "EW/KW", 0.072)]),
    ((20.0, 89.99999), [("J132000.00+895959.9", None, 0.072)]),
]
# Standard columns of the first match of the first position.
ROW = {}
PHOTOMETRY = {}
