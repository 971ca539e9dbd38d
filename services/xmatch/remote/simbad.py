"""SIMBAD by TAP: our positions as an uploaded table, joined with ``basic`` by ADQL.

Protocol: IVOA TAP 1.1, ``/sync``, POST multipart/form-data with a VOTable upload; the answer is a
VOTable with its rows as TABLEDATA, asked for as ``votable/td``.
Reference: Wenger et al. 2000, A&AS 143, 9; https://simbad.cds.unistra.fr. CDS asks for at most
five or six requests a second; we send far fewer.
Radius: 5 arcsec: galaxies and old positions are not good to better, and each source comes with
its distance.
``source_class`` is SIMBAD's short object type (``SN*``, ``Sy1``).
"""

from __future__ import annotations

from collections.abc import Sequence

from services.xmatch.remote.base import (
    Answer,
    OverflowAnswerError,
    Position,
    RemoteService,
    RemoteTable,
    Request,
)
from services.xmatch.remote.rows import sources_by_key
from services.xmatch.remote.votable import read_votable, upload_votable

MOST_ROWS = 50_000
KEY = "tocsin_key"
_ADQL = """\
SELECT u.tocsin_key, b.main_id, b.ra, b.dec, b.otype, b.rvz_redshift, b.galdim_majaxis, f.V
FROM TAP_UPLOAD.positions AS u
JOIN basic AS b
  ON 1 = CONTAINS(POINT('ICRS', b.ra, b.dec), CIRCLE('ICRS', u.ra_deg, u.dec_deg, {radius_deg:.9f}))
LEFT JOIN allfluxes AS f ON f.oidref = b.oid"""
_ARCSEC_PER_ARCMIN = 60.0


def request(table: RemoteTable, positions: Sequence[Position], radius_arcsec: float) -> Request:
    """The join as ADQL, the positions as a VOTable."""
    del table  # SIMBAD has the one
    return Request(
        data={
            "REQUEST": "doQuery",
            "LANG": "ADQL",
            "FORMAT": "votable/td",
            "MAXREC": str(MOST_ROWS),
            "QUERY": _ADQL.format(radius_deg=radius_arcsec / 3_600.0),
            "UPLOAD": "positions,param:positions_file",
        },
        files={
            "positions_file": (
                "positions.vot",
                upload_votable(KEY, positions),
                "application/x-votable+xml",
            )
        },
    )


def read(table: RemoteTable, body: bytes) -> Answer:
    """Read the VOTable; the galaxies' axes are in arcminutes."""
    answer = read_votable(body)
    if answer.is_overflow or len(answer.rows) >= MOST_ROWS:
        raise OverflowAnswerError(f"{len(answer.rows)} rows")
    rows = answer.rows
    if "galdim_majaxis" in answer.names:
        place = answer.names.index("galdim_majaxis")
        rows = [[*row[:place], _arcsec(row[place]), *row[place + 1 :]] for row in rows]
    return Answer(sources_by_key(table, answer.names, rows, KEY), answer.version)


def _arcsec(arcmin: str) -> str:
    try:
        return str(float(arcmin) * _ARCSEC_PER_ARCMIN)
    except ValueError:
        return ""


BASIC = RemoteTable(
    name="simbad",
    title="SIMBAD",
    reference="Wenger et al. 2000, A&AS 143, 9",
    radius_arcsec=5.0,
    identifier="basic",
    columns={
        "ra_deg": ("ra",),
        "dec_deg": ("dec",),
        "source_id": ("main_id",),
        "source_class": ("otype",),
        "redshift": ("rvz_redshift",),
        "magnitude": ("V",),
        "major_axis_arcsec": ("galdim_majaxis",),
    },
)

SIMBAD = RemoteService(
    name="simbad",
    title="SIMBAD, Strasbourg",
    url="https://simbad.cds.unistra.fr/simbad/sim-tap/sync",
    reference="Wenger et al. 2000, A&AS 143, 9",
    licence="free, with credit to CDS, Strasbourg (ODbL)",
    most_positions=2_000,
    most_rows=MOST_ROWS,
    tables={BASIC.name: BASIC},
    request=request,
    read=read,
)
