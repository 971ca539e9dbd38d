"""``/alerts``: single alerts with all their columns, their cutouts and their packets."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone, Caller
from services.portal.formats.answers import image_responses, json_answer
from services.portal.formats.choice import MEDIA_TYPES, ImageFormat, ImageFormatQuery, chosen
from services.portal.formats.images import as_fits, as_png
from services.portal.paging import Page, PagingQuery, cursor_after
from services.portal.problems import ProblemError, not_found
from services.portal.reading.alerts import LONGEST_ID, alert_of, alerts_of_night
from services.portal.reading.seen import Sight
from services.portal.routes.objects import Survey
from shared.archive.cutouts import Cutout, read_cutouts
from shared.archive.packets import packets_root
from shared.archive.provenance import PacketMissingError, packet_of

router = APIRouter(prefix="/alerts", tags=["alerts"])

AlertId = Annotated[
    str,
    Path(max_length=LONGEST_ID, description="ZTF's candid, Rubin's diaSourceId",
         examples=["1657414760815015006"]),
]  # fmt: skip
Stamp = Annotated[str, Path(pattern="^(science|template|difference)$", description="Which cutout")]


@router.get("", response_model=Page[dict[str, Any]])
async def alerts(
    caller: Anyone,
    backends: BackendsOf,
    paging: PagingQuery,
    survey: Annotated[str, Query(max_length=40, description="ztf, lsst", examples=["ztf"])],
    night: Annotated[
        int, Query(ge=0, le=200_000, description="MJD of the evening", examples=[60000])
    ],
) -> Response:
    """Alerts of one night in the order in which they came, short; a page may be a little longer."""
    after = None if paging.after is None else paging.after[0]
    if after is not None and not isinstance(after, str):
        raise ProblemError(422, "cursor: of another list")
    sight = Sight.of(caller, backends.settings)
    found, last = await alerts_of_night(backends.store, sight, survey, night, paging.limit, after)
    cursor = None if last is None else cursor_after(last)
    return json_answer({"items": found, "next_cursor": cursor})


@router.get("/{alert_id}", response_model=dict[str, Any])
async def alert(
    alert_id: AlertId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> Response:
    """One alert: every column of the data dictionary, light curve included."""
    return json_answer(await _alert(alert_id, caller, backends, survey))


@router.get(
    "/{alert_id}/packet",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def packet(
    alert_id: AlertId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> Response:
    """The packet the alert was made of, byte for byte as the survey sent it."""
    found = await _packet(await _alert(alert_id, caller, backends, survey), backends)
    return Response(found, media_type="application/octet-stream")


@router.get("/{alert_id}/cutouts")
async def cutouts(
    alert_id: AlertId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> list[str]:
    """Which cutouts the alert has."""
    told = await _alert(alert_id, caller, backends, survey)
    stamps = await _stamps(told, backends)
    return [stamp.name for stamp in stamps]


@router.get("/{alert_id}/cutouts/{stamp}", response_class=Response, responses=image_responses())
async def cutout(
    alert_id: AlertId,
    stamp: Stamp,
    caller: Anyone,
    backends: BackendsOf,
    survey: Survey = None,
    form: ImageFormatQuery = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """A cutout as the survey cut it, not rotated: FITS, or PNG to look at."""
    wanted = chosen(form, accept, [ImageFormat.PNG, ImageFormat.FITS])
    told = await _alert(alert_id, caller, backends, survey)
    found = next((s for s in await _stamps(told, backends) if s.name == stamp), None)
    if found is None:
        raise not_found(f"{stamp} cutout of alert {alert_id}")
    if wanted == ImageFormat.FITS:
        content = await asyncio.to_thread(as_fits, found, told["alert_id"])
    else:
        content = await asyncio.to_thread(as_png, found)
    return Response(
        content, media_type=MEDIA_TYPES[wanted],
        headers={"Vary": "Accept", "Cache-Control": "private, max-age=86400"},
    )  # fmt: skip


async def _alert(
    alert_id: str, caller: Caller, backends: Backends, survey: str | None
) -> dict[str, Any]:
    sight = Sight.of(caller, backends.settings)
    return await alert_of(backends.store, sight, alert_id, survey)


async def _packet(alert: dict[str, Any], backends: Backends) -> bytes:
    try:
        return await asyncio.to_thread(packet_of, packets_root(backends.state_dir), alert)
    except PacketMissingError as error:
        raise ProblemError(404, "the alert's packet is not kept here") from error


async def _stamps(alert: dict[str, Any], backends: Backends) -> list[Cutout]:
    packet = await _packet(alert, backends)
    return await asyncio.to_thread(read_cutouts, packet, alert["survey"])
