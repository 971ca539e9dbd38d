"""Made-up rows in the form of fink-science's mangrove_filtered.parquet."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = {
    "HyperLEDA_name": ["NGC99001", "None", "12345", "None"],
    "2MASS_name": ["None", "0040+10", "None", "None"],
    "ra": [10.0, 20.0, 30.0, 40.0],
    "dec": [10.0, 10.0, 10.0, 10.0],
    "lum_dist": [50.0, 100.0, 150.0, 0.003],
    "ang_dist": [49.0, 95.0, 140.0, 0.003],
}


def write(path):
    pq.write_table(pa.table(ROWS), path)


BAD_ROWS = 0
LEFT_OUT = {"nearer than 0.1 Mpc": 1}
EXPECTED = [
    ((10.0, 10.0), [("NGC99001", "galaxy", 0.0)]),
    ((20.0, 10.0), [("0040+10", "galaxy", 0.0)]),
    ((30.0, 10.001111111111111), [("PGC 12345", "galaxy", 4.0)]),
    ((40.0, 10.0), []),
]
ROW = {"distance_mpc": 50.0}
PHOTOMETRY = {}
