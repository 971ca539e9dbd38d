"""``/filters``: made, checked, tried on the archive, activated, paused, retired."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone, Caller, SignedIn, Writer
from services.portal.filters.lifecycle import Filters
from services.portal.filters.trial import tried
from services.portal.paging import Page, PagingQuery, one_page, page_after
from services.portal.problems import ProblemError, forbidden
from shared.filters.check import Verdict, judge_filter
from shared.filters.kept import State, from_document
from shared.filters.refusal import FilterRefusedError
from shared.filters.syntax import MAX_FILTER_BYTES
from shared.filters.user_filter import NAME_PATTERN, Place, UserFilter
from shared.kafka.topics import out_topic
from shared.store import Collection, Document

router = APIRouter(prefix="/filters", tags=["filters"])

_ONE_AT_A_TIME = asyncio.Semaphore(1)
"""A backtest takes a core; a second waits."""

Name = Annotated[
    str, Path(pattern=NAME_PATTERN, description="Name of the filter", examples=["rising"])
]
Version = Annotated[int | None, Query(ge=0, le=1_000_000, description="Which version")]


class FilterText(BaseModel):
    """What a filter asks: SQL, or a Mongo-style match, or a reviewed Python function."""

    model_config = ConfigDict(extra="forbid")

    select: str | None = Field(
        None, min_length=1, max_length=MAX_FILTER_BYTES,
        title="SELECT columns FROM alerts WHERE ..., or what stands after WHERE",
        examples=["SELECT object_id, magnitude_ab FROM alerts WHERE magnitude_ab < 19"],
    )  # fmt: skip
    match: dict[str, Any] | None = Field(None, title="Mongo-style match document")
    python: str | None = Field(None, max_length=64, title="Name of a function in the repository")
    survey: str | None = Field(None, max_length=40, title="Only alerts of this survey")


class FilterGiven(FilterText):
    """A filter as its owner gives it."""

    name: str = Field(pattern=NAME_PATTERN, title="Name, and end of its topic's name")
    description: str = Field(min_length=1, max_length=2000, title="What it is for, in words")
    group: str | None = Field(
        None, max_length=64, title="Group whose members may see and change it too"
    )
    visibility: Annotated[str, Field(pattern="^(public|private)$")] = Field(
        "private", title="public: everybody may see it and read what it sends"
    )
    retention_hours: float | None = Field(
        None, gt=0, le=24 * 365, title="Hours its topic keeps a message"
    )


class FilterKept(BaseModel):
    """One version of a filter."""

    name: str = Field(title="Its name")
    version: int = Field(title="Counted from 1; 0 for one of the operator's file")
    state: str = Field(title="draft, active, paused or retired")
    reason: str = Field(title="Why it is paused or retired")
    select: str = Field(title="What it asks")
    python: str | None = Field(title="Function it asks besides")
    description: str = Field(title="What it is for")
    owner: str = Field(title="Whose it is")
    group: str | None = Field(title="Group it is shared with")
    visibility: str = Field(title="public or private")
    survey: str | None = Field(title="Only alerts of this survey")
    topic: str = Field(title="Kafka topic of what it sends")
    created_ms: int = Field(title="When it was made, Unix time, milliseconds")
    activated_ms: int | None = Field(title="When it was last activated")
    guard: dict[str, Any] | None = Field(title="What its backtest found when it was activated")


class FilterJudged(BaseModel):
    """Whether a filter would be accepted, and where not."""

    is_accepted: bool = Field(title="Whether it would be")
    reason: str | None = Field(title="Why not")
    line: int = Field(title="Line of the place, from 1")
    column: int = Field(title="Its column, from 1")
    surveys: list[str] = Field(title="Surveys it applies to")
    not_applicable: dict[str, str] = Field(title="Surveys it does not apply to, and why")
    columns: list[str] = Field(title="Columns it sends; none means the whole alert")
    avro_schema: str | None = Field(title="Avro schema of its messages")
    schema_id: int | None = Field(title="Id of that schema in the registry")


@router.get("")
async def filters(
    caller: Anyone,
    backends: BackendsOf,
    paging: PagingQuery,
    state: Annotated[State | None, Query(description="Only those in this state")] = None,
) -> Page[FilterKept]:
    """Filters that the caller may see, every version, by name."""
    condition, sort = page_after(paging, "_id")
    only = {} if state is None else {"state": state.value}
    documents = await backends.store.find(
        Collection.FILTERS, {"$and": [condition, caller.visible(visibility="public"), only]},
        sort=sort, limit=paging.limit + 1,
    )  # fmt: skip
    page, cursor = one_page(documents, paging, "_id")
    return Page(items=[_kept(one, backends) for one in page], next_cursor=cursor)


@router.post("/check")
async def check(given: FilterText, caller: Anyone) -> FilterJudged:
    """Whether a filter would be accepted; nothing is kept."""
    del caller
    try:
        each = _filter(given, "unnamed", Caller())
    except FilterRefusedError as error:
        return _judged(Verdict("", Place("", error.line, error.column), str(error)))
    return _judged(await asyncio.to_thread(_verdict, each))


@router.post("/backtest")
async def backtest_text(
    given: FilterText,
    caller: SignedIn,
    backends: BackendsOf,
    nights: Annotated[int, Query(ge=0, le=400, description="Nights of the archive")] = 7,
) -> dict[str, Any]:
    """What a filter would have sent in the last nights and tonight; nothing is kept."""
    each = _filter(given, "unnamed", caller)
    async with _ONE_AT_A_TIME:
        return await tried(each, backends, nights)


@router.post("", status_code=201)
async def create(given: FilterGiven, caller: Writer, backends: BackendsOf) -> FilterKept:
    """Keep a draft: version 1 of a new name, or the next of one of the caller's own."""
    if given.group is not None and given.group not in caller.groups and not caller.is_operator:
        raise forbidden(f"you are not in the group {given.group}")
    each = _filter(given, given.name, caller)
    verdict = await asyncio.to_thread(_verdict, each)
    if verdict.reason is not None:
        raise ProblemError(
            422, verdict.reason, line=verdict.place.line, column=verdict.place.column
        )
    return _kept(await _filters(backends, caller).create(each), backends)


@router.get("/{name}")
async def show(name: Name, caller: Anyone, backends: BackendsOf) -> list[FilterKept]:
    """Every version of a filter, oldest first."""
    return [_kept(one, backends) for one in await _filters(backends, caller).versions(name)]


@router.post("/{name}/backtest")
async def backtest(
    name: Name,
    caller: SignedIn,
    backends: BackendsOf,
    version: Version = None,
    nights: Annotated[int, Query(ge=0, le=400, description="Nights of the archive")] = 7,
) -> dict[str, Any]:
    """What a filter would have sent in the last nights and tonight."""
    document = await _filters(backends, caller).version(name, version)
    async with _ONE_AT_A_TIME:
        return await tried(from_document(document), backends, nights)


@router.post("/{name}/activate")
async def activate(
    name: Name, caller: Writer, backends: BackendsOf, version: Version = None
) -> FilterKept:
    """Let a version run, after a backtest: what would send too much needs an operator."""
    kept = _filters(backends, caller)
    document = await kept.own(name, version)
    settings = backends.settings
    async with _ONE_AT_A_TIME:
        report = await tried(from_document(document), backends, settings.portal_filter_guard_nights)
    share, limit = report["share"], settings.portal_filter_share_limit
    if share is not None and share > limit and not caller.is_operator:
        raise ProblemError(
            403,
            f"filter {name} wants {share:.1%} of the stream, more than {limit:.1%}:"
            " narrow it, or ask an operator to activate it",
            share=share,
        )
    guard = {figure: report[figure] for figure in ("alerts", "wanted", "share")}
    return _kept(await kept.activate(document, guard), backends)


@router.post("/{name}/pause")
async def pause(
    name: Name, caller: Writer, backends: BackendsOf, version: Version = None
) -> FilterKept:
    """Set the version that runs aside; activate it to go on."""
    by = f"paused by {caller.name}"
    kept = _filters(backends, caller)
    return _kept(await kept.move(name, version, State.PAUSED, by), backends)


@router.post("/{name}/retire")
async def retire(
    name: Name, caller: Writer, backends: BackendsOf, version: Version = None
) -> FilterKept:
    """End the version that runs; its topic stays until Kafka forgets it."""
    by = f"retired by {caller.name}"
    kept = _filters(backends, caller)
    return _kept(await kept.move(name, version, State.RETIRED, by), backends)


def _filters(backends: Backends, caller: Caller) -> Filters:
    return Filters(backends.store, caller, backends.settings.topic_prefix)


def _filter(given: FilterText, name: str, caller: Caller) -> UserFilter:
    """The filter that was given, of this caller.

    Raises
    ------
    FilterRefusedError
        If it gives none or several of select, match and python.
    """
    words = given.model_dump(exclude_none=True, exclude={"visibility"})
    whose = {"owner": caller.name or "nobody", "owner_groups": tuple(sorted(caller.groups))}
    is_public = getattr(given, "visibility", "private") == "public"
    try:
        return UserFilter.model_validate(
            {"description": "?", **words, **whose, "name": name, "is_public": is_public}
        )
    except (ValidationError, RecursionError) as error:
        if isinstance(error, RecursionError):
            raise FilterRefusedError("nested too deep") from error
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise FilterRefusedError(f"{field}: {first['msg']}".removeprefix(": ")) from error


def _verdict(each: UserFilter) -> Verdict:
    def place(position: int) -> Place:
        found = FilterRefusedError("", position, text=each.select)
        return Place("", found.line, found.column)

    return judge_filter(each, place)


def _judged(verdict: Verdict) -> FilterJudged:
    return FilterJudged(
        is_accepted=verdict.reason is None,
        reason=verdict.reason,
        line=verdict.place.line,
        column=verdict.place.column,
        surveys=list(verdict.surveys),
        not_applicable=dict(verdict.not_applicable or {}),
        columns=[column.name for column in verdict.columns],
        avro_schema=verdict.schema.text if verdict.schema else None,
        schema_id=verdict.schema.id if verdict.schema else None,
    )


def _kept(document: Document, backends: Backends) -> FilterKept:
    given = {name: document.get(name) for name in FilterKept.model_fields if name != "topic"}
    topic = out_topic(document["name"], backends.settings.topic_prefix)
    return FilterKept.model_validate({**given, "topic": topic})
