"""Made-up rows in the form of ls_dr10.tractor joined with photo_z."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = {
    "ls_id": [10995001, 10995002, 10995003],
    "ra": [10.0, 20.0, 30.0],
    "dec": [10.0, -5.0, 1.0],
    "type": ["EXP", "DEV", "PSF"],
    "z_phot_median": [0.3, 0.4, -99.0],
    "z_phot_std": [0.03, 0.04, -99.0],
    "z_spec": [-99.0, 0.41, -99.0],
    "shape_r": [2.0, 0.2, 0.0],
    "shape_e1": [0.0, 0.0, 0.0],
    "shape_e2": [0.5, 0.0, 0.0],
    "flux_g": [5.0, 1.0, 1.0],
    "flux_r": [10.0, 1.0, 1.0],
}


def write(path):
    pq.write_table(pa.table(ROWS), path)


BAD_ROWS = 0
LEFT_OUT = {"PSF": 1}
EXPECTED = [
    ((10.0, 10.001083333333334), [("10995001", "EXP", 3.9)]),
    ((20.0, -4.999611111111111), [("10995002", "DEV", 1.4)]),
    ((30.0, 1.0), []),
]
ROW = {
    "redshift": 0.3,
    "redshift_err": 0.03,
    "redshift_kind": 2,
    "major_axis_arcsec": 8.0,
    "minor_axis_arcsec": 2.6666666666666665,
    "position_angle_deg": 45.0,
    "magnitude": 20.0,
}
PHOTOMETRY = {"r_mag": 20.0}
