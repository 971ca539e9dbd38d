"""``/labels`` and ``/votes``: what people say an object is. Only ever added to."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone, Caller, SignedIn, Writer
from services.portal.paging import Page, PagingQuery, one_page, page_after
from services.portal.problems import ProblemError
from services.portal.reading.alerts import LONGEST_ID, history_of
from services.portal.reading.seen import Sight
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.label import Label
from shared.schemas.vote import Opinion, Vote
from shared.store import Collection, Document

router = APIRouter(tags=["labels"])


class LabelGiven(BaseModel):
    """A label as a caller gives it; author, time and source are added."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{
            "object_id": "ZTF21abiuvdk", "survey": "ztf", "class_name": "SN Ia",
            "taxonomy": "tns", "source": "spectrum", "reference": "TNS 2021rhu",
        }]},
    )  # fmt: skip

    object_id: str = Field(min_length=1, max_length=LONGEST_ID, title="The survey's name of it")
    survey: str | None = Field(None, max_length=40, title="Where two surveys use one name")
    class_name: str = Field(min_length=1, max_length=80, title="Class, in your words")
    taxonomy: str = Field("tocsin", min_length=1, max_length=40, title="Whose words they are")
    taxonomy_version: str = Field("1", max_length=40, title="Version of that taxonomy")
    source: Annotated[str, Field(pattern="^(spectrum|expert)$")] = Field(
        "expert", title="spectrum, or expert: somebody who looked at the light curve"
    )
    confidence: float = Field(1.0, ge=0, le=1, title="How sure you are")
    redshift: float | None = Field(None, ge=-0.01, le=20, title="Redshift")
    reference: str | None = Field(None, max_length=500, title="Where it can be read")
    comment: str | None = Field(None, max_length=2000, title="Anything else")
    withdraws: str | None = Field(
        None, max_length=32, title="label_id of a label of your own that no longer holds"
    )


class LabelKept(BaseModel):
    """A label and its identity."""

    label_id: str = Field(title="By which it can be withdrawn")
    label: Label = Field(title="What was said")


class VoteGiven(BaseModel):
    """An opinion as a caller gives it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"object_id": "ZTF21abiuvdk", "opinion": "regular"}]},
    )

    object_id: str = Field(min_length=1, max_length=LONGEST_ID, title="The survey's name of it")
    survey: str | None = Field(None, max_length=40, title="Where two surveys use one name")
    opinion: Opinion = Field(title="anomaly, regular, or unknown to take an opinion back")
    is_prior: bool = Field(False, title="A known example, given beforehand")


@router.get("/labels")
async def labels(
    caller: Anyone,
    backends: BackendsOf,
    paging: PagingQuery,
    object_id: Annotated[str | None, Query(max_length=LONGEST_ID)] = None,
) -> Page[LabelKept]:
    """Labels, the newest first; of one object, or of all."""
    sight = Sight.of(caller, backends.settings)
    only = {} if object_id is None else {"key": object_id}
    query = {**sight.only_seen("fields.survey"), **only}
    page, cursor = await _records(backends, Collection.LABELS, query, paging)
    kept = [label for label in map(_label, page) if label is not None]
    return Page(items=[LabelKept(label_id=k.label_id, label=k) for k in kept], next_cursor=cursor)


@router.post("/labels", status_code=202)
async def add_label(given: LabelGiven, caller: Writer, backends: BackendsOf) -> LabelKept:
    """Say what an object is, in your own name. It is read by all who may see the object."""
    history = await history_of(
        backends.store, Sight.of(caller, backends.settings), given.object_id, given.survey
    )
    now_ms = int(time.time() * 1000)
    told: dict[str, Any] = given.model_dump()
    label = Label(
        **{**told, "survey": history.survey}, author=caller.name, said_ms=now_ms, taken_ms=now_ms,
        ra_deg=history.latest["ra_deg"], dec_deg=history.latest["dec_deg"],
        is_simulated=history.latest["is_simulated"],
    )  # fmt: skip
    if label.withdraws is not None:
        await _require_own_label(backends, caller, given.object_id, label.withdraws)
    topic = Topic.LABELS.named(backends.settings.topic_prefix)
    await backends.outbox.send_once(topic, [Message(label.to_json(), key=label.key)])
    return LabelKept(label_id=label.label_id, label=label)


@router.get("/votes")
async def votes(caller: SignedIn, backends: BackendsOf, paging: PagingQuery) -> Page[Vote]:
    """The caller's own votes, the newest first."""
    page, cursor = await _records(backends, Collection.VOTES, {"key": caller.name}, paging)
    found = [vote for vote in map(_vote, page) if vote is not None and vote.user == caller.name]
    return Page(items=found, next_cursor=cursor)


@router.post("/votes", status_code=202)
async def add_vote(given: VoteGiven, caller: Writer, backends: BackendsOf) -> Vote:
    """Say whether an object is an anomaly to you; it teaches your own ranking only."""
    history = await history_of(
        backends.store, Sight.of(caller, backends.settings), given.object_id, given.survey
    )
    if len(caller.name) > 80:
        raise ProblemError(422, "an account that votes has a name of at most 80 characters")
    vote = Vote(
        user=caller.name, object_id=given.object_id, survey=history.survey,
        opinion=given.opinion, is_prior=given.is_prior, said_ms=int(time.time() * 1000),
    )  # fmt: skip
    topic = Topic.VOTES.named(backends.settings.topic_prefix)
    await backends.outbox.send_once(topic, [Message(vote.to_json(), key=vote.key)])
    return vote


async def _require_own_label(
    backends: Backends, caller: Caller, object_id: str, label_id: str
) -> None:
    async for document in backends.store.stream(
        Collection.LABELS, {"key": object_id}, fields=["value"], limit=10_000
    ):
        label = _label(document)
        if label and label.label_id == label_id and label.author == caller.name:
            return
    raise ProblemError(422, f"withdraws: no label {label_id} of yours about {object_id}")


async def _records(
    backends: Backends, collection: Collection, query: dict[str, Any], paging: PagingQuery
) -> tuple[list[Document], str | None]:
    condition, sort = page_after(paging, "timestamp_ms", descending=True)
    documents = await backends.store.find(
        collection, {**condition, **query}, fields=["value", "timestamp_ms"], sort=sort,
        limit=paging.limit + 1,
    )  # fmt: skip
    return one_page(documents, paging, "timestamp_ms", "_id")


def _label(document: Document) -> Label | None:
    try:
        return Label.from_json(document["value"])
    except ValidationError:
        return None


def _vote(document: Document) -> Vote | None:
    try:
        return Vote.from_json(document["value"])
    except ValidationError:
        return None
