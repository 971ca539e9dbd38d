"""Made-up rows in the form of GaiaSource_*.csv.gz, comments of ECSV included."""

from __future__ import annotations

import gzip

TEXT = """\
# %ECSV 1.0
# ---
# delimiter: ','
solution_id,designation,source_id,random_index,ref_epoch,ra,dec,pmra,pmdec,phot_g_mean_mag,phot_bp_mean_mag,phot_rp_mean_mag
1,"Gaia DR3 99001",99001,5,2016.0,10.0,10.0,null,null,15.5,null,null
1,"Gaia DR3 99002",99002,6,2016.0,20.0,-5.0,0.0,0.0,18.25,18.9,17.5
"""


def write(path):
    path.write_bytes(gzip.compress(TEXT.encode()))


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.00013888888889), [("99001", None, 0.5)]),
    ((20.0, -5.0), [("99002", None, 0.0)]),
    ((10.0, 10.000416666666666), []),
]
ROW = {"magnitude": 15.5, "epoch_year": 2016.0}
PHOTOMETRY = {}
