"""Made-up rows in the form of fink-science's gcvs.parquet."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq


def write(path):
    rows = {
        "ra": [83.633, 300.5, 12.0],
        "dec": [22.0145, -41.25, 95.0],
        "VarType": ["UGSS+E    ", "          ", "M         "],
    }
    pq.write_table(pa.table(rows), path)


BAD_ROWS = 1
LEFT_OUT = {}
EXPECTED = [
    ((83.633, 22.0145), [("J053431.92+220052.2", "UGSS+E", 0.0)]),
    ((300.5, -41.25 - 1.4 / 3_600), [("J200200.00-411500.0", None, 1.4)]),
    ((12.0, 89.0), []),
]
# Standard columns of the first match of the first position.
ROW = {}
PHOTOMETRY = {}
