"""``/registry``: Confluent's Schema Registry, to read, for the topics of filters.

Its answers and error codes are those of Confluent's API reference ("Schema Registry API"), so that
``AvroDeserializer`` and its like in any language work with no setting but the URL.
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from services.portal.backends import Backends, BackendsOf
from services.portal.callers import Anyone, Caller
from services.portal.reading.outs import filter_of_subject, may_read
from shared.kafka.topics import out_topic
from shared.schemas.avro.registered import (
    RegisteredSchema,
    alert_registered,
    subject_of,
)
from shared.store import Collection

router = APIRouter(prefix="/registry", tags=["schema registry"])

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_SUBJECT_NOT_FOUND, _VERSION_NOT_FOUND, _SCHEMA_NOT_FOUND = 40401, 40402, 40403
_INVALID_VERSION = 42202

Subject = Annotated[
    str, Path(max_length=300, description="<topic>-value", examples=["tocsin.out.rising-value"])
]
SchemaId = Annotated[int, Path(ge=0, le=2**31 - 1, examples=[1])]


class SchemaText(BaseModel):
    """A schema."""

    schema_: str = Field(alias="schema", title="Avro, as JSON text")


class SubjectVersion(BaseModel):
    """A version of a subject."""

    subject: str
    version: int
    id: int
    schema_: str = Field(alias="schema")


@router.get("/schemas/types")
async def types(caller: Anyone) -> list[str]:
    """Kinds of schema: Avro."""
    del caller
    return ["AVRO"]


@router.get("/schemas/ids/{schema_id}", response_model=SchemaText)
async def by_id(schema_id: SchemaId, caller: Anyone, backends: BackendsOf) -> Response:
    """The schema whose id stands in bytes 1 to 4 of a message."""
    found = await _by_id(schema_id, caller, backends)
    return _missing_schema(schema_id) if found is None else _answer({"schema": found.text})


@router.get("/schemas/ids/{schema_id}/schema", response_model=dict[str, Any])
async def text_by_id(schema_id: SchemaId, caller: Anyone, backends: BackendsOf) -> Response:
    """The same, the schema itself."""
    found = await _by_id(schema_id, caller, backends)
    if found is None:
        return _missing_schema(schema_id)
    return Response(found.text, media_type=_MEDIA_TYPE)


@router.get("/schemas/ids/{schema_id}/subjects")
async def subjects_of_id(schema_id: SchemaId, caller: Anyone, backends: BackendsOf) -> list[str]:
    """Subjects of a schema that the caller may read."""
    rows = await _rows(caller, backends, {"id": schema_id})
    return sorted({row["subject"] for row in rows})


@router.get("/schemas/ids/{schema_id}/versions", response_model=list[dict[str, Any]])
async def versions_of_id(schema_id: SchemaId, caller: Anyone, backends: BackendsOf) -> Response:
    """The same, with versions."""
    versions = []
    for row in await _rows(caller, backends, {"id": schema_id}):
        mine = await _rows(caller, backends, {"subject": row["subject"]})
        number = next(n for n, one in enumerate(mine, start=1) if one["id"] == schema_id)
        versions.append({"subject": row["subject"], "version": number})
    return _answer(versions)


@router.get("/subjects")
async def subjects(
    caller: Anyone,
    backends: BackendsOf,
    prefix: Annotated[str, Query(alias="subjectPrefix", max_length=300)] = ":*:",
) -> list[str]:
    """Every subject that the caller may read."""
    names = {row["subject"] for row in await _rows(caller, backends, {})}
    return sorted(name for name in names if prefix == ":*:" or name.startswith(prefix))


@router.get("/subjects/{subject}/versions", response_model=list[int])
async def versions(subject: Subject, caller: Anyone, backends: BackendsOf) -> Response:
    """Numbers of a subject's versions, oldest first."""
    rows = await _rows_of(subject, caller, backends)
    return _answer([*range(1, len(rows) + 1)]) if rows else _missing_subject(subject)


@router.get("/subjects/{subject}/versions/{version}", response_model=SubjectVersion)
async def version(
    subject: Subject,
    version: Annotated[
        str, Path(max_length=12, description="A number, or latest", examples=["latest"])
    ],
    caller: Anyone,
    backends: BackendsOf,
) -> Response:
    """A version of a subject."""
    row, number = await _version(subject, version, caller, backends)
    if isinstance(row, Response):
        return row
    return _answer(
        {"subject": subject, "version": number, "id": row["id"], "schema": row["schema"],
         "schemaType": "AVRO"}
    )  # fmt: skip


@router.get("/subjects/{subject}/versions/{version}/schema", response_model=dict[str, Any])
async def version_text(
    subject: Subject,
    version: Annotated[str, Path(max_length=12)],
    caller: Anyone,
    backends: BackendsOf,
) -> Response:
    """The schema itself."""
    row, _ = await _version(subject, version, caller, backends)
    if isinstance(row, Response):
        return row
    return Response(row["schema"], media_type=_MEDIA_TYPE)


@router.get("/config", response_model=dict[str, str])
async def config(caller: Anyone) -> Response:
    """How schemas may change: columns are only ever added."""
    del caller
    return _answer({"compatibilityLevel": "BACKWARD"})


@router.get("/mode", response_model=dict[str, str])
async def mode(caller: Anyone) -> Response:
    """The registry is for reading."""
    del caller
    return _answer({"mode": "READONLY"})


async def _version(
    subject: str, version: str, caller: Caller, backends: Backends
) -> tuple[dict[str, Any] | Response, int]:
    rows = await _rows_of(subject, caller, backends)
    if not rows:
        return _missing_subject(subject), 0
    if version in {"latest", "-1"}:
        return rows[-1], len(rows)
    if not (version.isascii() and version.isdecimal()) or int(version) < 1:
        return _error(422, _INVALID_VERSION, "a version is a number from 1 on, or latest"), 0
    if int(version) > len(rows):
        return _error(404, _VERSION_NOT_FOUND, "Version not found."), 0
    return rows[int(version) - 1], int(version)


async def _by_id(schema_id: int, caller: Caller, backends: Backends) -> RegisteredSchema | None:
    alert = alert_registered()
    if schema_id == alert.id:
        return alert
    rows = await _rows(caller, backends, {"id": schema_id})
    return RegisteredSchema.from_document(rows[0]) if rows else None


async def _rows(caller: Caller, backends: Backends, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Documents of ``schemas`` that the caller may read, oldest first."""
    found = await backends.store.find(
        Collection.SCHEMAS, query, sort=[("registered_ms", 1), ("_id", 1)], limit=10_000
    )
    prefix = backends.settings.topic_prefix
    readable: dict[str, bool] = {}
    for row in found:
        name = filter_of_subject(row["subject"], prefix)
        if row["subject"] not in readable:
            readable[row["subject"]] = name is not None and await may_read(
                backends.store, caller, name
            )
    return [row for row in found if readable[row["subject"]]]


async def _rows_of(subject: str, caller: Caller, backends: Backends) -> list[dict[str, Any]]:
    """A subject's versions; a filter that sends whole alerts need not be in the collection."""
    rows = await _rows(caller, backends, {"subject": subject})
    if rows:
        return rows
    name = filter_of_subject(subject, backends.settings.topic_prefix)
    if name is None or not await may_read(backends.store, caller, name):
        return []
    known = await backends.store.find_one(Collection.FILTERS, {"name": name}, fields=["_id"])
    is_topic = known or await backends.topics.has(out_topic(name, backends.settings.topic_prefix))
    if not is_topic:
        return []
    return [alert_registered().document(subject_of(subject.removesuffix("-value")), 0)]


def _answer(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type=_MEDIA_TYPE)


def _error(status: int, code: int, message: str) -> Response:
    return JSONResponse({"error_code": code, "message": message}, status, media_type=_MEDIA_TYPE)


def _missing_schema(schema_id: int) -> Response:
    return _error(404, _SCHEMA_NOT_FOUND, f"Schema {schema_id} not found.")


def _missing_subject(subject: str) -> Response:
    printable = subject[:100].encode("utf-8", "backslashreplace").decode()
    return _error(404, _SUBJECT_NOT_FOUND, f"Subject '{printable}' not found.")
