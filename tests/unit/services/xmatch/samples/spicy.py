"""Made-up rows in the form of fink-science's spicy.parquet."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = {"RAdeg": [270.0, 280.0], "DEdeg": [-25.0, -10.0], "class": ["ClassII  ", "FS       "]}


def write(path):
    pq.write_table(pa.table(ROWS), path)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((270.0, -25.0), [("J180000.00-250000.0", "ClassII", 0.0)]),
    ((280.0, -9.999694444444444), [("J184000.00-100000.0", "FS", 1.1)]),
    ((280.0, -9.999638888888889), []),
]
ROW = {}
PHOTOMETRY = {}
