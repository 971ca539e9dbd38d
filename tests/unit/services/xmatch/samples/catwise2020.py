"""Made-up rows in the form of CatWISE2020."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = {
    "source_name": ["J004000.00+100000.0", "J012000.00-050000.0"],
    "ra": [10.1, 20.1],
    "dec": [10.0, -5.0],
    "ra_pm": [10.0, 20.0],
    "dec_pm": [10.0, -5.0],
    "w1mpro_pm": [15.0, 17.0],
    "w1sigmpro_pm": [0.03, 0.1],
    "w2mpro_pm": [14.5, None],
    "w2sigmpro_pm": [0.04, None],
}


def write(path):
    pq.write_table(pa.table(ROWS), path)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("J004000.00+100000.0", None, 0.0)]),
    ((20.0, -4.999472222222222), [("J012000.00-050000.0", None, 1.9)]),
    ((20.1, -5.0), []),
]
ROW = {"magnitude": 15.0}
PHOTOMETRY = {"w1_mag": 17.699}
