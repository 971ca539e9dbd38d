"""Made-up rows in the form of tns_public_objects.csv.zip."""

from __future__ import annotations

import zipfile

TEXT = """\
"2026-11-22 00:00:00"
"objid","name_prefix","name","ra","declination","redshift","type","discoverymag"
"1","SN","2099abc","10.0","10.0","0.0035","SN Ia","15.9"
"2","AT","2099xyz","20.0","-5.0","","","19.25"
"""


def write(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("table.csv", TEXT)


BAD_ROWS = 0
LEFT_OUT = {}
EXPECTED = [
    ((10.0, 10.0), [("SN 2099abc", "SN Ia", 0.0)]),
    ((20.0, -4.999472222222222), [("AT 2099xyz", None, 1.9)]),
    ((20.0, -4.999416666666667), []),
]
ROW = {"redshift": 0.0035, "magnitude": 15.9}
PHOTOMETRY = {}
