"""CDS X-Match: positions against any table of VizieR, or SIMBAD, in one request.

Protocol: POST multipart/form-data with the positions as a CSV file in ``cat1``, the table in
``cat2``; the answer is CSV, ``angDist`` (arcseconds) first, then our columns, then the table's.
A wrong parameter is HTTP 400. Limits: 180 arcsec, 100 MB, 2 M rows.
Reference: Boch, Pineau & Derrière 2012, ASPC 461, 291; http://cdsxmatch.u-strasbg.fr (its API
answers on plain HTTP only).
Radii: 1.5 arcsec for stars, as for the local variable stars; 5 for SIMBAD, whose galaxies and old
positions are less good; 3 for quasars, most of which lie within 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from services.xmatch.remote.base import (
    Answer,
    MalformedAnswerError,
    OverflowAnswerError,
    Position,
    RemoteService,
    RemoteTable,
    Request,
)
from services.xmatch.remote.rows import sources_by_key

MOST_ROWS = 50_000
KEY, RA, DEC = "tocsin_key", "tocsin_ra", "tocsin_dec"
"""Our columns, named so that no table has them too: the service renames what stands twice."""


def request(table: RemoteTable, positions: Sequence[Position], radius_arcsec: float) -> Request:
    """The positions as a CSV upload; keys in quotes would come back in quotes."""
    lines = [f"{KEY},{RA},{DEC}"]
    lines += [f"{p.key},{p.ra_deg:.8f},{p.dec_deg:.8f}" for p in positions]
    body = ("\n".join(lines) + "\n").encode()
    return Request(
        data={
            "request": "xmatch",
            "distMaxArcsec": f"{radius_arcsec:g}",
            "selection": "all",
            "RESPONSEFORMAT": "csv",
            "MAXREC": str(MOST_ROWS),
            "cat2": table.identifier,
            "colRA1": RA,
            "colDec1": DEC,
        },
        files={"cat1": ("positions.csv", body, "text/csv")},
    )


def read(table: RemoteTable, body: bytes) -> Answer:
    """Read the CSV; its last line must end, or the answer was cut."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedAnswerError(f"not UTF-8: {error}") from error
    if not text.endswith("\n"):
        raise MalformedAnswerError("the last line does not end")
    try:
        header, *rows = list(csv.reader(io.StringIO(text), strict=True))
    except (csv.Error, ValueError) as error:
        raise MalformedAnswerError(f"not CSV: {error}") from error
    if not header or header[0] != "angDist":
        raise MalformedAnswerError(f"begins with {','.join(header)[:80]!r}, not with angDist")
    if len(rows) >= MOST_ROWS:
        raise OverflowAnswerError(f"{len(rows)} rows")
    return Answer(sources_by_key(table, header, rows, KEY))


TABLES = (
    RemoteTable(
        name="gaia_dr3",
        title="Gaia DR3 at CDS",
        reference="Gaia Collaboration 2023, A&A 674, A1",
        radius_arcsec=1.5,
        identifier="vizier:I/355/gaiadr3",
        columns={
            "ra_deg": ("RAdeg", "RA_ICRS", "ra"),
            "dec_deg": ("DEdeg", "DE_ICRS", "dec"),
            "source_id": ("DR3Name", "Source", "source_id"),
            "source_class": ("VarFlag",),
            "magnitude": ("Gmag", "phot_g_mean_mag"),
        },
    ),
    RemoteTable(
        name="milliquas",
        title="Million Quasars catalog v8 at CDS",
        reference="Flesch 2023, OJAp 6, 49; VII/294",
        radius_arcsec=3.0,
        identifier="vizier:VII/294/catalog",
        columns={
            "ra_deg": ("RAJ2000", "_RAJ2000", "RAdeg"),
            "dec_deg": ("DEJ2000", "_DEJ2000", "DEdeg"),
            "source_id": ("Name",),
            "source_class": ("Type",),
            "redshift": ("z",),
            "magnitude": ("Rmag",),
        },
    ),
    RemoteTable(
        name="simbad",
        title="SIMBAD through CDS X-Match",
        reference="Wenger et al. 2000, A&AS 143, 9",
        radius_arcsec=5.0,
        identifier="simbad",
        columns={
            "ra_deg": ("ra",),
            "dec_deg": ("dec",),
            "source_id": ("main_id",),
            "source_class": ("main_type",),
            "redshift": ("redshift",),
            "magnitude": ("V",),
        },
    ),
)

CDS_XMATCH = RemoteService(
    name="cds_xmatch",
    title="CDS X-Match",
    url="http://cdsxmatch.u-strasbg.fr/xmatch/api/v1/sync",
    reference="Boch, Pineau & Derrière 2012, ASPC 461, 291",
    licence="free, with credit to CDS, Strasbourg",
    most_positions=5_000,
    most_rows=MOST_ROWS,
    tables={table.name: table for table in TABLES},
    request=request,
    read=read,
)
