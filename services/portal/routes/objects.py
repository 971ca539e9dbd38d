"""``/objects``: what is known of one place in the sky that changes."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.portal.backends import BackendsOf
from services.portal.callers import Anyone
from services.portal.formats.answers import json_answer, table_answer, table_responses
from services.portal.formats.choice import TableFormat, TableFormatQuery, chosen
from services.portal.formats.light_curves import light_curve_table
from services.portal.paging import Page, PagingQuery, cursor_after
from services.portal.problems import ProblemError
from services.portal.reading.alerts import LONGEST_ID, history_of
from services.portal.reading.seen import Sight
from shared.archive.history import ObjectHistory, distinct_matches
from shared.archive.history_json import history_json

router = APIRouter(prefix="/objects", tags=["objects"])

ObjectId = Annotated[
    str,
    Path(max_length=LONGEST_ID, description="The survey's name of it", examples=["ZTF21abiuvdk"]),
]
Survey = Annotated[
    str | None,
    Query(max_length=40, description="Where two surveys use one name: ztf, lsst", examples=["ztf"]),
]


class Classification(BaseModel):
    """What one classifier said of one alert of the object."""

    alert_id: str = Field(title="Alert it was asked about")
    mjd_tai: float = Field(title="Its mid-exposure, MJD, TAI, days")
    classifier: str = Field(title="Registry name of the classifier")
    model_version: str | None = Field(None, title="Which model answered")
    probability: float | None = Field(None, title="Its answer; null where there is none")
    answer: dict[str, Any] = Field(title="All that it said")


class LightCurveColumns(BaseModel):
    """A light curve as columns of one length."""

    object_id: str = Field(title="The survey's name of the object")
    survey: str = Field(title="Survey of the object")
    columns: dict[str, list[Any]] = Field(
        title="mjd_tai, band, kind, flux_njy, flux_err_njy, magnitude_ab"
    )


@router.get("/{object_id}", response_model=dict[str, Any])
async def object_(
    object_id: ObjectId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> Response:
    """All that is known of an object: alerts, light curve, matches, associations, updates."""
    history = await _history(object_id, caller, backends, survey)
    return Response(await asyncio.to_thread(history_json, history), media_type="application/json")


@router.get(
    "/{object_id}/light-curve", response_model=LightCurveColumns, responses=table_responses()
)
async def light_curve(
    object_id: ObjectId,
    caller: Anyone,
    backends: BackendsOf,
    survey: Survey = None,
    form: TableFormatQuery = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """The light curve, merged from all alerts of the object."""
    wanted = chosen(form, accept, list(TableFormat))
    history = await _history(object_id, caller, backends, survey)
    named = {"object_id": history.object_id, "survey": history.survey}
    return await table_answer(light_curve_table(history.light_curve), wanted, named)


@router.get("/{object_id}/alerts", response_model=Page[dict[str, Any]])
async def alerts(
    object_id: ObjectId,
    caller: Anyone,
    backends: BackendsOf,
    paging: PagingQuery,
    survey: Survey = None,
) -> Response:
    """The object's alerts in order of time, light curves left out."""
    history = await _history(object_id, caller, backends, survey)
    start = 0
    if paging.after is not None:
        if not isinstance(paging.after[0], int) or not 0 <= paging.after[0] < 10**9:
            raise ProblemError(422, "cursor: of another list")
        start = paging.after[0]
    end = start + paging.limit
    cursor = cursor_after(end) if end < len(history.alerts) else None
    return json_answer({"items": history.alerts[start:end], "next_cursor": cursor})


@router.get("/{object_id}/matches", response_model=list[dict[str, Any]])
async def matches(
    object_id: ObjectId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> Response:
    """Catalog sources that alerts of the object were matched with, each once."""
    return json_answer(distinct_matches(await _history(object_id, caller, backends, survey)))


@router.get("/{object_id}/classifications")
async def classifications(
    object_id: ObjectId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> list[Classification]:
    """Every classifier's answer to every alert of the object, and which model gave it."""
    history = await _history(object_id, caller, backends, survey)
    return [
        Classification(
            alert_id=alert["alert_id"],
            mjd_tai=alert["mjd_tai"],
            classifier=name,
            model_version=alert[name].get("model_version"),
            probability=alert[name].get("probability"),
            answer=alert[name],
        )
        for alert in history.alerts
        for name in history.classifiers
        if alert.get(name)
    ]


@router.get("/{object_id}/associations", response_model=list[dict[str, Any]])
async def associations(
    object_id: ObjectId, caller: Anyone, backends: BackendsOf, survey: Survey = None
) -> Response:
    """What was said about the object and events of other messengers, in order of time."""
    return json_answer((await _history(object_id, caller, backends, survey)).associations)


async def _history(
    object_id: str, caller: Anyone, backends: BackendsOf, survey: str | None
) -> ObjectHistory:
    sight = Sight.of(caller, backends.settings)
    return await history_of(backends.store, sight, object_id, survey)
