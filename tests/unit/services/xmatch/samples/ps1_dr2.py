"""Made-up rows in the form of PS1 MeanObjectView."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = {
    "objID": [120000100000000001, 120000200000000002, 3],
    "raMean": [10.0, 20.0, -999.0],
    "decMean": [10.0, -5.0, -999.0],
    "rMeanPSFMag": [18.0, -999.0, -999.0],
    "gMeanKronMag": [17.5, -999.0, -999.0],
    "rMeanKronMag": [17.5, -999.0, -999.0],
    "iMeanKronMag": [17.5, -999.0, -999.0],
    "zMeanKronMag": [17.5, -999.0, -999.0],
    "yMeanKronMag": [17.5, -999.0, -999.0],
    "gMeanKronMagErr": [0.01, -999.0, -999.0],
    "rMeanKronMagErr": [0.01, -999.0, -999.0],
    "iMeanKronMagErr": [0.01, -999.0, -999.0],
    "zMeanKronMagErr": [0.01, -999.0, -999.0],
    "yMeanKronMagErr": [0.01, -999.0, -999.0],
}


def write(path):
    pq.write_table(pa.table(ROWS), path)


BAD_ROWS = 1
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("120000100000000001", None, 0.0)]),
    ((20.0, -4.999611111111111), [("120000200000000002", None, 1.4)]),
    ((20.0, -4.999555555555555), []),
]
ROW = {"magnitude": 18.0}
PHOTOMETRY = {"g_mag": 17.5, "y_mag_err": 0.01}
