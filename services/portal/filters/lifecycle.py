"""States of a filter's versions in the database, and who may move them."""

from __future__ import annotations

import time
from typing import Any

from services.portal.callers import Caller
from services.portal.problems import ProblemError, forbidden, not_found
from shared.filters.judged import outputs_of
from shared.filters.kept import BUILT_IN_VERSION, State, document_id, from_document, to_document
from shared.filters.schemas import schema_of
from shared.filters.statement import parse_filter
from shared.filters.user_filter import UserFilter
from shared.kafka.topics import out_topic
from shared.schemas.avro.registered import subject_of
from shared.store import Collection, Document, Store

MOST_VERSIONS = 1000
MOST_PER_OWNER = 200
"""Filters of one owner, versions apart."""


def now_ms() -> int:
    """Unix time, milliseconds."""
    return time.time_ns() // 1_000_000


class Filters:
    """The collection ``filters`` as one caller may see and change it."""

    def __init__(self, store: Store, caller: Caller, topic_prefix: str) -> None:
        self._store = store
        self._caller = caller
        self._prefix = topic_prefix

    async def versions(self, name: str) -> list[Document]:
        """Every version of a filter that the caller may see, oldest first.

        Raises
        ------
        ProblemError
            404, if there is none.
        """
        found = await self._store.find(
            Collection.FILTERS, {"name": name, **self._caller.visible(visibility="public")},
            sort=[("version", 1)], limit=MOST_VERSIONS,
        )  # fmt: skip
        if not found:
            raise not_found(f"filter {name}")
        return found

    async def version(self, name: str, version: int | None) -> Document:
        """One version, by default the newest.

        Raises
        ------
        ProblemError
            404, if there is none.
        """
        for document in reversed(await self.versions(name)):
            if version in {None, document["version"]}:
                return document
        raise not_found(f"version {version} of filter {name}")

    async def own(self, name: str, version: int | None) -> Document:
        """One version of a filter that the caller may change.

        Raises
        ------
        ProblemError
            404 if there is none, 403 if it is another's, 409 if it is of the operator's file.
        """
        document = await self.version(name, version)
        if not self._caller.owns(document["owner"], document.get("group")):
            raise forbidden(f"filter {name} belongs to {document['owner']}")
        if document["version"] == BUILT_IN_VERSION:
            raise ProblemError(
                409, f"filter {name} comes from the operator's file: change it there"
            )
        return document

    async def create(self, each: UserFilter) -> Document:
        """Keep a new draft, as the next version of its name.

        Raises
        ------
        ProblemError
            409 if the name is another's, 422 if the caller has too many filters.
        """
        kept = await self._store.find(
            Collection.FILTERS, {"name": each.name}, fields=["owner", "group", "version"],
            limit=MOST_VERSIONS,
        )  # fmt: skip
        for document in kept:
            is_built_in = document["version"] == BUILT_IN_VERSION
            if is_built_in or not self._caller.owns(document["owner"], document.get("group")):
                raise ProblemError(409, f"the name {each.name} is taken: choose another")
        if not kept:
            names = await self._store.distinct(
                Collection.FILTERS, "name", {"owner": self._caller.name}
            )
            if len(names) >= MOST_PER_OWNER and not self._caller.is_operator:
                raise ProblemError(422, f"no more than {MOST_PER_OWNER} filters: reuse a name")
        version = max((document["version"] for document in kept), default=0) + 1
        if version > MOST_VERSIONS:
            raise ProblemError(422, f"no more than {MOST_VERSIONS} versions: choose another name")
        numbered = each.model_copy(update={"version": version})
        document = to_document(numbered, State.DRAFT, now_ms())
        if await self._store.insert(Collection.FILTERS, [document]):
            raise ProblemError(409, f"version {version} was made just now: try again")
        return document

    async def activate(self, document: Document, guard: dict[str, Any]) -> Document:
        """Let a version run, and retire the others of its name that ran.

        The new one is active before the old one is not, so that the topic does not pause.
        """
        moment = now_ms()
        groups = sorted(self._caller.groups) if self._caller.name == document["owner"] else None
        changes: dict[str, Any] = {
            "state": State.ACTIVE.value,
            "activated_ms": moment,
            "activated_by": self._caller.name,
            "reason": "",
            "guard": guard,
        }
        if groups is not None:
            changes["owner_groups"] = groups
        await self._register_schema({**document, **changes}, moment)
        await self._store.update(Collection.FILTERS, {document["_id"]: {"$set": changes}})
        others = await self._store.find(
            Collection.FILTERS,
            {"name": document["name"], "state": {"$in": [State.ACTIVE.value, State.PAUSED.value]},
             "_id": {"$ne": document["_id"]}},
            fields=["version"], limit=MOST_VERSIONS,
        )  # fmt: skip
        over = {"state": State.RETIRED.value, "reason": f"version {document['version']} runs now"}
        await self._store.update(
            Collection.FILTERS, {other["_id"]: {"$set": over} for other in others}
        )
        return {**document, **changes}

    async def _register_schema(self, document: Document, moment: int) -> None:
        each = from_document(document)
        schema = schema_of(each, outputs_of(each, parse_filter(each.select)))
        subject = subject_of(out_topic(each.name, self._prefix))
        await self._store.insert(Collection.SCHEMAS, [schema.document(subject, moment)])

    async def move(self, name: str, version: int | None, state: State, why: str) -> Document:
        """Pause or retire: the version that runs, unless another is named.

        Raises
        ------
        ProblemError
            As ``own``; 409 if no version runs and none was named.
        """
        if version is None:
            running = [
                one["version"]
                for one in await self.versions(name)
                if one["state"] in {State.ACTIVE.value, State.PAUSED.value}
            ]
            if not running:
                raise ProblemError(409, f"no version of filter {name} is active or paused")
            version = running[-1]
        document = await self.own(name, version)
        changes = {"state": state.value, "reason": why, f"{state.value}_ms": now_ms()}
        key = document_id(name, version)
        await self._store.update(Collection.FILTERS, {key: {"$set": changes}})
        return {**document, **changes}
