"""``/tap``: archive queries, for TOPCAT, pyvo and whoever else speaks the IVOA's TAP 1.1."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone, Caller
from services.portal.formats.choice import MEDIA_TYPES, TableFormat
from services.portal.formats.tables import error_votable, written
from services.portal.problems import ProblemError, not_found
from services.portal.tap import documents
from services.portal.tap.jobs import ENDED, MOST_ROWS, Job, Phase
from services.portal.tap.tables import vosi_tables

router = APIRouter(prefix="/tap", tags=["TAP"])

_XML = "text/xml; charset=utf-8"
_USUAL_ROWS = 10_000
_LONGEST_FORM = 256 * 1024
_FORMATS = {
    "votable": TableFormat.VOTABLE, "votable/td": TableFormat.VOTABLE,
    "application/x-votable+xml": TableFormat.VOTABLE, "text/xml": TableFormat.VOTABLE,
    "application/x-votable+xml;serialization=tabledata": TableFormat.VOTABLE,
    "csv": TableFormat.CSV, "text/csv": TableFormat.CSV, "parquet": TableFormat.PARQUET,
    "application/vnd.apache.parquet": TableFormat.PARQUET, "json": TableFormat.JSON,
    "application/json": TableFormat.JSON,
}  # fmt: skip
_LANGUAGES = ("ADQL", "ADQL-2.0", "ADQL-2.1", "SQL")
JobId = Annotated[str, Path(max_length=40)]
_FORM = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        name: {"type": "string"}
                        for name in ("QUERY", "LANG", "MAXREC", "RESPONSEFORMAT", "PHASE")
                    },
                },
                "example": {"LANG": "ADQL", "QUERY": "SELECT TOP 10 * FROM objects"},
            }
        }
    }
}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/xml": {"schema": {"type": "string"}}}}
}


@router.get("/sync", response_class=Response, responses=_DOCUMENT)
@router.post("/sync", response_class=Response, responses=_DOCUMENT, openapi_extra=_FORM)
async def sync(request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """A query and its answer in one request; for those that take seconds."""
    parameters = await _parameters(request)
    refusal = _refusal(parameters)
    if refusal:
        return _error(400, refusal)
    job = backends.jobs.create(caller, parameters, _most_rows(parameters))
    try:
        await backends.jobs.finished(job)
        return await _result(job, backends)
    finally:
        backends.jobs.delete(job)


@router.get("/async", response_class=Response, responses=_DOCUMENT)
async def jobs(request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """The caller's jobs; a caller without a token has no list."""
    listed = documents.job_list_document(backends.jobs.of(caller), _url(request, backends))
    return Response(listed, media_type=_XML)


@router.post("/async", response_class=Response, status_code=303, openapi_extra=_FORM)
async def create(request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """Make a job; it runs at once with PHASE=RUN, else when its phase is set to RUN."""
    parameters = await _parameters(request)
    refusal = _refusal(parameters)
    if refusal:
        return _error(400, refusal)
    job = backends.jobs.create(caller, parameters, _most_rows(parameters))
    if parameters.get("PHASE", "").upper() == "RUN":
        backends.jobs.run(job)
    return RedirectResponse(f"{_url(request, backends)}/{job.id}", 303)


@router.get("/async/{job_id}", response_class=Response, responses=_DOCUMENT)
async def job(job_id: JobId, request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """A job: its phase, its parameters, its result."""
    found = _job(job_id, caller, backends)
    document = documents.job_document(
        found, f"{_url(request, backends)}/{found.id}", backends.jobs.destroyed_s(found),
        backends.settings.portal_job_seconds,
    )  # fmt: skip
    return Response(document, media_type=_XML)


@router.post("/async/{job_id}", response_class=Response, status_code=303)
async def act(job_id: JobId, request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """ACTION=DELETE, as browsers' forms have it."""
    found = _job(job_id, caller, backends)
    if (await _parameters(request)).get("ACTION", "").upper() != "DELETE":
        raise ProblemError(400, "ACTION: DELETE is all there is")
    backends.jobs.delete(found)
    return RedirectResponse(_url(request, backends), 303)


@router.delete("/async/{job_id}", response_class=Response, status_code=303)
async def delete(job_id: JobId, request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """Stop a job and forget it."""
    backends.jobs.delete(_job(job_id, caller, backends))
    return RedirectResponse(_url(request, backends), 303)


@router.post("/async/{job_id}/phase", response_class=Response, status_code=303)
async def set_phase(
    job_id: JobId, request: Request, caller: Anyone, backends: BackendsOf
) -> Response:
    """PHASE=RUN or PHASE=ABORT."""
    found = _job(job_id, caller, backends)
    match (await _parameters(request)).get("PHASE", "").upper():
        case "RUN":
            backends.jobs.run(found)
        case "ABORT":
            backends.jobs.abort(found)
        case _:
            raise ProblemError(400, "PHASE: RUN or ABORT")
    return RedirectResponse(f"{_url(request, backends)}/{found.id}", 303)


@router.get("/async/{job_id}/results/result", response_class=Response, responses=_DOCUMENT)
async def result(job_id: JobId, caller: Anyone, backends: BackendsOf) -> Response:
    """The answer, in the form that RESPONSEFORMAT named."""
    found = _job(job_id, caller, backends)
    if found.phase not in ENDED:
        raise not_found(f"result of {job_id} yet")
    return await _result(found, backends)


@router.get("/async/{job_id}/{part}", response_class=Response, responses=_DOCUMENT)
async def part(
    job_id: JobId,
    part: Annotated[
        str,
        Path(
            pattern="^(phase|results|error|parameters|quote|executionduration|destruction|owner)$"
        ),
    ],
    request: Request,
    caller: Anyone,
    backends: BackendsOf,
) -> Response:
    """One part of what is known of a job."""
    found = _job(job_id, caller, backends)
    match part:
        case "results":
            url = f"{_url(request, backends)}/{found.id}"
            return Response(documents.results_document(found, url), media_type=_XML)
        case "error":
            if found.phase is not Phase.ERROR:
                raise not_found(f"error of {job_id}")
            return Response(error_votable(found.error), media_type=MEDIA_TYPES["votable"])
        case "parameters":
            return Response(documents.parameters_document(found), media_type=_XML)
    texts = {
        "phase": found.phase.value,
        "executionduration": str(int(backends.settings.portal_job_seconds)),
        "destruction": documents.moment(backends.jobs.destroyed_s(found)),
        "owner": "" if found.owner.startswith("@") else found.owner,
    }
    return PlainTextResponse(texts.get(part, ""))


@router.get("/availability", response_class=Response, responses=_DOCUMENT)
async def availability(caller: Anyone, backends: BackendsOf) -> Response:
    """That the service is up."""
    del caller
    return Response(documents.availability_document(backends.since_s), media_type=_XML)


@router.get("/capabilities", response_class=Response, responses=_DOCUMENT)
async def capabilities(request: Request, caller: Anyone, backends: BackendsOf) -> Response:
    """What the service can do."""
    del caller
    settings = backends.settings
    document = documents.capabilities_document(
        _url(request, backends).removesuffix("/async"), settings.portal_job_seconds,
        settings.portal_job_keep_hours * 3600.0,
    )  # fmt: skip
    return Response(document, media_type=_XML)


@router.get("/tables", response_class=Response, responses=_DOCUMENT)
async def tables(caller: Anyone) -> Response:
    """Tables and columns, with units and meanings."""
    del caller
    return Response(await asyncio.to_thread(vosi_tables), media_type=_XML)


def _url(request: Request, backends: Backends) -> str:
    """The address of ``/tap/async``, as the caller reaches it."""
    return f"{backends.url_of(request)}/api/v1/tap/async"


def _job(job_id: str, caller: Caller, backends: Backends) -> Job:
    found = backends.jobs.get(job_id, caller)
    if found is None:
        raise not_found(f"job {job_id}")
    return found


async def _parameters(request: Request) -> dict[str, str]:
    """Parameters of query and form, names in capitals (DALI 1.1, section 2.1)."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in {"", "application/x-www-form-urlencoded"}:
            raise ProblemError(415, "send parameters as application/x-www-form-urlencoded")
        body = await request.body()
        if len(body) > _LONGEST_FORM:
            raise ProblemError(413, f"a form has at most {_LONGEST_FORM} bytes")
        try:
            pairs += parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
        except (UnicodeDecodeError, ValueError) as error:
            raise ProblemError(400, "the form cannot be read") from error
    return {name.upper()[:40]: value for name, value in pairs}


def _refusal(parameters: dict[str, str]) -> str:
    """Why a query's parameters are not accepted; empty if they are."""
    if parameters.get("REQUEST", "doQuery") != "doQuery":
        return "REQUEST: doQuery is all there is"
    if parameters.get("LANG", "ADQL").upper() not in _LANGUAGES:
        return f"LANG: one of {', '.join(_LANGUAGES)}"
    if not parameters.get("QUERY", "").strip():
        return "QUERY is missing"
    if "UPLOAD" in parameters:
        return "UPLOAD: tables cannot be uploaded"
    most = parameters.get("MAXREC", "0")
    if not (most.isascii() and most.isdecimal()) or len(most) > 10:
        return "MAXREC: a number of rows"
    if _form_wanted(parameters) is None:
        return "RESPONSEFORMAT: votable, csv, parquet or json"
    return ""


def _form_wanted(parameters: dict[str, str]) -> TableFormat | None:
    asked = parameters.get("RESPONSEFORMAT") or parameters.get("FORMAT") or "votable"
    return _FORMATS.get(asked.lower().replace(" ", ""))


def _most_rows(parameters: dict[str, str]) -> int:
    return min(int(parameters.get("MAXREC", _USUAL_ROWS)), MOST_ROWS)


async def _result(job: Job, backends: Backends) -> Response:
    if job.phase is not Phase.COMPLETED:
        return _error(400, job.error or f"the query is {job.phase.lower()}")
    form = _form_wanted(dict(job.parameters)) or TableFormat.VOTABLE
    table = await asyncio.to_thread(backends.jobs.read, job)
    content = await asyncio.to_thread(written, table, form, is_cut=job.is_cut)
    headers = {"X-Tocsin-Truncated": "true"} if job.is_cut else {}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


def _error(status: int, message: str) -> Response:
    return Response(error_votable(message), status, media_type=MEDIA_TYPES["votable"])
