"""Made-up rows in the form of PyOngc's ongc.db: radians and arcminutes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from math import radians

TYPES = [("G", "Galaxy"), ("**", "Double star"), ("Dup", "Duplicated record"),
         ("NonEx", "Nonexistent object")]  # fmt: skip
OBJECTS = [
    ("NGC90001", "G", radians(40.0), radians(10.0), 0.01, 12.5, 10.0, 4.0, 190),
    ("NGC90002", "G", radians(40.0), radians(10.05), None, None, 0.05, None, None),
    ("NGC90003", "**", radians(41.0), radians(-10.0), None, None, None, None, None),
    ("NGC90004", "Dup", radians(40.0), radians(10.0), None, None, None, None, None),
    ("NGC90005", "NonEx", None, None, None, None, None, None, None),
    ("NGC90006", "G", None, None, None, None, 1.0, None, None),
]


def write(path):
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE objTypes(type TEXT, typedesc TEXT)")
        base.execute(
            "CREATE TABLE objects(id INTEGER PRIMARY KEY, name TEXT, type TEXT, ra REAL, dec REAL,"
            " redshift REAL, bmag REAL, majax REAL, minax REAL, pa INTEGER)"
        )
        base.executemany("INSERT INTO objTypes VALUES (?, ?)", TYPES)
        base.executemany(
            "INSERT INTO objects(name, type, ra, dec, redshift, bmag, majax, minax, pa)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            OBJECTS,
        )


BAD_ROWS = 1
LEFT_OUT = {"Dup": 1, "NonEx": 1}
EXPECTED = [
    # Within the semi-major axis of 5 arcmin of the large galaxy; the small one reaches 5 arcsec.
    ((40.0, 10.05), [("NGC90002", "Galaxy", 0.0), ("NGC90001", "Galaxy", 180.0)]),
    ((40.0, 9.95), [("NGC90001", "Galaxy", 180.0)]),
    ((40.0, 9.9166), []),
    ((41.0, -10.0 + 4.9 / 3_600), [("NGC90003", "Double star", 4.9)]),
    ((41.0, -10.0 + 5.1 / 3_600), []),
]
# Standard columns of what the first position that matches one source only matches.
ROW = {
    "redshift": 0.01,
    "redshift_kind": 1,
    "magnitude": 12.5,
    "major_axis_arcsec": 600.0,
    "minor_axis_arcsec": 240.0,
    "position_angle_deg": 10.0,
}
PHOTOMETRY = {}
