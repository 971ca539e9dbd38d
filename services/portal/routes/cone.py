"""``/objects?ra_deg=`` and ``/scs``: objects by their place; the latter as the IVOA has it."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from services.portal.backends import BackendsOf
from services.portal.callers import Anyone
from services.portal.formats.answers import table_answer, table_responses
from services.portal.formats.choice import TableFormat, TableFormatQuery, chosen
from services.portal.formats.tables import UCD, error_votable, votable
from services.portal.reading.places import LARGEST_RADIUS_DEG, objects_inside, places_table
from services.portal.reading.recent import Cone
from services.portal.reading.seen import Sight

router = APIRouter(tags=["objects"])

_MOST_ROWS = 10_000
_VOTABLE = "application/x-votable+xml"
_SCS_UCDS = {"object_id": "ID_MAIN", "ra_deg": "POS_EQ_RA_MAIN", "dec_deg": "POS_EQ_DEC_MAIN"}
"""Simple Cone Search 1.03, section 2.2: the old content descriptors."""


@router.get("/objects", response_model=dict[str, Any], responses=table_responses())
async def objects(
    caller: Anyone,
    backends: BackendsOf,
    ra_deg: Annotated[float, Query(ge=0, lt=360, description="ICRS", examples=[210.91])],
    dec_deg: Annotated[float, Query(ge=-90, le=90, description="ICRS", examples=[54.32])],
    radius_arcsec: Annotated[float, Query(gt=0, le=LARGEST_RADIUS_DEG * 3600.0)] = 5.0,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS)] = 100,
    form: TableFormatQuery = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Objects within a circle, the nearest first."""
    wanted = chosen(form, accept, list(TableFormat))
    cone = Cone(ra_deg, dec_deg, radius_arcsec / 3600.0)
    sight = Sight.of(caller, backends.settings)
    table = await objects_inside(backends.recent, backends.state_dir, cone, sight, limit)
    return await table_answer(table, wanted)


@router.get(
    "/scs", response_class=Response, tags=["cone search"],
    responses={200: {"content": {_VOTABLE: {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def scs(
    request: Request,
    caller: Anyone,
    backends: BackendsOf,
    _ra: Annotated[str, Query(alias="RA", description="Degrees, ICRS", examples=["210.91"])] = "",
    _dec: Annotated[str, Query(alias="DEC", description="Degrees, ICRS", examples=["54.32"])] = "",
    _sr: Annotated[str, Query(alias="SR", description="Degrees", examples=["0.01"])] = "",
) -> Response:
    """Simple Cone Search 1.03: RA, DEC and SR in degrees; always a VOTable, of errors too."""
    given = {name.upper(): value for name, value in request.query_params.multi_items()}
    try:
        cone = _cone_of(given)
    except ValueError as error:
        return Response(error_votable(str(error)), media_type=_VOTABLE)
    if cone.radius_deg == 0.0:  # section 2.1: then only the columns are wanted
        table = places_table([], cone, 1)
    else:
        sight = Sight.of(caller, backends.settings)
        table = await objects_inside(backends.recent, backends.state_dir, cone, sight, _MOST_ROWS)
    content = await asyncio.to_thread(votable, _with_old_ucds(table), {})
    return Response(content, media_type=_VOTABLE)


def _cone_of(given: dict[str, str]) -> Cone:
    """The circle asked for; raises ``ValueError`` with what is wrong."""
    numbers = {}
    for name in ("RA", "DEC", "SR"):
        try:
            numbers[name] = float(given.get(name, ""))
        except ValueError:
            raise ValueError(f"{name}: a number of degrees is needed") from None
        if not math.isfinite(numbers[name]):
            raise ValueError(f"{name}: a number of degrees is needed")
    if not 0 <= numbers["RA"] <= 360 or not -90 <= numbers["DEC"] <= 90:
        raise ValueError("RA is in [0, 360] and DEC in [-90, 90], degrees")
    if not 0 <= numbers["SR"] <= LARGEST_RADIUS_DEG:
        raise ValueError(f"SR is in [0, {LARGEST_RADIUS_DEG:g}] degrees")
    return Cone(numbers["RA"] % 360.0, numbers["DEC"], numbers["SR"])


def _with_old_ucds(table: pa.Table) -> pa.Table:
    fields = [
        f.with_metadata({**f.metadata, UCD: _SCS_UCDS[f.name].encode()})
        if f.name in _SCS_UCDS
        else f
        for f in table.schema
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))
