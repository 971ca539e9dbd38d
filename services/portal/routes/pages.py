"""The web pages, and the files they are made with."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path as FilePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone
from services.portal.pages.figures import SkyMark, light_curve_svg, sky_svg
from services.portal.paging import Paging
from services.portal.problems import ProblemError, not_found
from services.portal.reading.alerts import LONGEST_ID, alerts_of_night, history_of
from services.portal.reading.events import Events, candidates_of, last_issued
from services.portal.reading.seen import Sight
from services.portal.routes.events import EventId
from services.portal.routes.filters import Name as FilterName
from services.portal.routes.filters import filters as listed_filters
from services.portal.routes.filters import show as filter_versions
from services.portal.routes.objects import Survey
from services.portal.routes.statistics import nights as counted_nights
from shared.archive.associations import distinct_associations
from shared.archive.cutouts import FIELDS
from shared.archive.history import ObjectHistory, distinct_matches
from shared.archive.packets import packets_root
from shared.archive.provenance import PacketMissingError, packet_of
from shared.light_curves.bands import BANDS
from shared.light_curves.photometry import magnitude_ab_of

router = APIRouter(tags=["pages"], default_response_class=HTMLResponse)

_FOLDER = FilePath(__file__).parents[1] / "pages"
_STATIC = {
    name: ((_FOLDER / "static" / name).read_bytes(), media_type)
    for name, media_type in (
        ("tocsin.css", "text/css"), ("landing.js", "text/javascript"),
        ("filters.js", "text/javascript"),
    )
}  # fmt: skip
"""All there is, by name: no path is ever made of what a caller asks for."""
_templates = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_NEWEST = 20
_MOST_SHOWN = 100


def _page(template: str, status: int = 200, **words: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(template).render(words), status)


@router.get("/")
async def landing(caller: Anyone, backends: BackendsOf) -> HTMLResponse:
    """How many alerts there are, and the newest."""
    nights = await counted_nights(caller, backends, None, 10)
    sight = Sight.of(caller, backends.settings)
    newest: list[dict[str, Any]] = []
    live = next((night for night in nights if not night.is_packed), None)
    if live is not None:
        found, _ = await alerts_of_night(
            backends.store, sight, live.survey, live.night, _NEWEST, None, newest_first=True
        )
        newest = sorted(found, key=lambda alert: -alert["mjd_tai"])[:_NEWEST]
    return _page("landing.html", nights=nights, newest=[_shown(alert) for alert in newest])


@router.get("/search", response_class=RedirectResponse, status_code=303)
async def search(
    caller: Anyone, q: Annotated[str, Query(min_length=1, max_length=LONGEST_ID)]
) -> RedirectResponse:
    """To the page of an object."""
    del caller
    safe = q.encode("utf-8", "replace").decode()
    return RedirectResponse(f"/objects/{quote(safe.strip() or '-', safe='')}", 303)


@router.get("/objects/{object_id}")
async def object_page(
    object_id: Annotated[str, Path(max_length=LONGEST_ID, examples=["ZTF21abiuvdk"])],
    caller: Anyone,
    backends: BackendsOf,
    survey: Survey = None,
) -> HTMLResponse:
    """An object: light curve, cutouts, classifications, matches, alerts."""
    sight = Sight.of(caller, backends.settings)
    try:
        history = await history_of(backends.store, sight, object_id, survey)
    except ProblemError as problem:
        title = "No such object" if problem.status == 404 else "Several surveys have it"
        return _page("problem.html", problem.status, title=title, detail=problem.detail)
    bands = sorted({BANDS[code] for code in history.light_curve.band.tolist() if code >= 0})
    return _page(
        "object.html",
        history=history,
        latest=history.latest,
        figure=await asyncio.to_thread(light_curve_svg, history.light_curve),
        bands=bands,
        stamps=await _stamps(history, backends),
        verdicts=[_verdict(name, history.latest.get(name)) for name in history.classifiers],
        matches=distinct_matches(history)[:_MOST_SHOWN],
        associations=distinct_associations(history.associations),
        shown=[_shown(alert) for alert in reversed(history.alerts[-_MOST_SHOWN:])],
    )


@router.get("/events")
async def events_page(caller: Anyone, backends: BackendsOf) -> HTMLResponse:
    """Events of other messengers, on the sky and in a list."""
    del caller
    events, _ = await Events(backends.store).newest(Paging(limit=50, after=None))
    marks = [
        SkyMark(
            place["ra_deg"], place["dec_deg"], place["radius_deg"] or 0.0, event["messenger"], n
        )
        for n, event in enumerate(events, start=1)
        if (place := event["localization"])
    ]
    kinds = sorted({event["messenger"] for event in events})
    return _page("events.html", events=events, figure=sky_svg(marks), kinds=kinds)


@router.get("/events/{event_id}")
async def event_page(event_id: EventId, caller: Anyone, backends: BackendsOf) -> HTMLResponse:
    """An event: where it is, the objects that may belong to it, its notices."""
    reading, sight = Events(backends.store), Sight.of(caller, backends.settings)
    state = await reading.state(event_id, sight)
    notices = await reading.notices(event_id)
    if not notices:
        told = f"No notice names an event {event_id}."
        return _page("problem.html", 404, title="No such event", detail=told)
    latest = last_issued(notices)
    place = latest["localization"]
    mark = place and SkyMark(
        place["ra_deg"], place["dec_deg"], place["radius_deg"] or 0.0, latest["messenger"], 1
    )
    objects: dict[tuple[str, str], dict[str, Any]] = {}
    for one in await candidates_of(backends.store, sight, event_id):
        objects.setdefault((one["survey"], one["object_id"]), one)  # its best alert comes first
    ranked = list(objects.values())
    url = latest["sky_map_url"] or ""
    return _page(
        "event.html",
        event_id=event_id,
        state=state,
        latest={**latest, "sky_map_url": url if url.startswith(("https://", "http://")) else ""},
        figure=sky_svg([mark] if mark else []),
        candidates=ranked[:_MOST_SHOWN],
        hidden=max(len(ranked) - _MOST_SHOWN, 0),
        notices=[{**one, "issued": _utc(one["issued_ms"])} for one in reversed(notices)],
    )


@router.get("/filters")
async def filters_page(caller: Anyone, backends: BackendsOf) -> HTMLResponse:
    """Filters that are running, and a place to try one."""
    page = await listed_filters(caller, backends, Paging(limit=200, after=None), None)
    return _page("filters.html", filters=[one for one in page.items if one.state != "retired"])


@router.get("/filters/{name}")
async def filter_page(
    name: FilterName, request: Request, caller: Anyone, backends: BackendsOf
) -> HTMLResponse:
    """A filter: what it asks, where it sends, its versions."""
    try:
        kept = await filter_versions(name, caller, backends)
    except ProblemError as problem:
        title = "No such filter"
        return _page("problem.html", problem.status, title=title, detail=problem.detail)
    versions = [
        {**one.model_dump(), "made": _utc(one.created_ms), "activated": _utc(one.activated_ms)}
        for one in reversed(kept)
    ]
    return _page(
        "filter.html",
        newest=versions[0],
        running=next((one for one in versions if one["state"] == "active"), None),
        versions=versions,
        base=str(request.base_url).rstrip("/"),
    )


@router.get("/api")
async def api_page(request: Request, caller: Anyone, backends: BackendsOf) -> HTMLResponse:
    """Every endpoint, with what it is for."""
    del caller
    groups: dict[str, list[dict[str, str]]] = {}
    for path, methods in request.app.openapi()["paths"].items():
        for method, told in methods.items():
            tag = (told.get("tags") or ["other"])[-1]
            if tag != "pages":
                summary = str(told.get("description") or told.get("summary", "")).partition("\n")[0]
                row = {"method": method.upper(), "path": path, "summary": summary}
                groups.setdefault(tag, []).append(row)
    return _page("api.html", groups=groups, anonymous=backends.settings.anonymous_may_read)


@router.get("/static/{name}", response_class=Response)
async def static(
    name: Annotated[str, Path(max_length=40, examples=["tocsin.css"])],
) -> Response:
    """A style or a script of these pages."""
    if name not in _STATIC:
        raise not_found(f"file {name}")
    content, media_type = _STATIC[name]
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(content, media_type=media_type, headers=headers)


async def _stamps(history: ObjectHistory, backends: Backends) -> list[str]:
    """Names of the cutouts, if the packet of the latest alert is kept here."""
    try:
        await asyncio.to_thread(packet_of, packets_root(backends.state_dir), history.latest)
    except PacketMissingError:
        return []
    return [name for name, _ in FIELDS]


def _utc(unix_ms: int | None) -> str:
    """A time as people read it; a dash for none."""
    if not unix_ms:
        return "–"
    return dt.datetime.fromtimestamp(unix_ms / 1000.0, dt.UTC).strftime("%Y-%m-%d %H:%M")


def _shown(alert: dict[str, Any]) -> dict[str, Any]:
    """An alert with its flux as people read it."""
    flux = alert["flux_njy"]
    if flux is None:
        return {**alert, "magnitude": "–"}
    magnitude = float(magnitude_ab_of(flux))
    return {**alert, "magnitude": f"{magnitude:.2f}" if flux > 0 else "faded"}


def _verdict(name: str, answer: dict[str, Any] | None) -> dict[str, Any]:
    told = answer or {}
    return {
        "name": name.replace("_", " "),
        "class": told.get("class") or "–",
        "probability": told.get("probability"),
        "reason": (told.get("reason") or "").replace("_", " ") if told.get("probability") is None
        else "",
        "model": told.get("model_version") or "–",
    }  # fmt: skip
