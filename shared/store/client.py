"""``Store``: the few things Tocsin does with the document database, its errors sorted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError

from shared.settings import ServiceSettings
from shared.store.collections import INDEXES, Collection
from shared.store.errors import DUPLICATE_KEY, mapped_errors

Document = dict[str, Any]
_SELECT_SERVER_MS = 5_000
_CONNECT_MS = 5_000
_SOCKET_MS = 60_000


class Store:
    """One database. All writes are acknowledged by a majority and journalled before they return."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._database = client[name]

    async def prepare(self) -> None:
        """Create the indexes that are missing; harmless if none is."""
        with mapped_errors():
            for collection, indexes in INDEXES.items():
                for fields in indexes:
                    keys = [(field, ASCENDING) for field in fields]
                    await self._database[collection.value].create_index(keys)

    async def insert(self, collection: Collection, documents: Sequence[Document]) -> list[Document]:
        """Insert documents in one bulk; those whose ``_id`` is there are left as they are.

        Returns
        -------
        list of dict
            The documents that were not inserted because their ``_id`` is there.

        Raises
        ------
        UpstreamUnavailableError, RejectedRecordError
            See ``mapped_errors``. Some of the documents may have been inserted.
        """
        if not documents:
            return []
        with mapped_errors():
            try:
                await self._database[collection.value].insert_many(documents, ordered=False)
            except BulkWriteError as error:
                failures = error.details.get("writeErrors", [])
                others = [entry for entry in failures if entry.get("code") != DUPLICATE_KEY]
                if others or error.details.get("writeConcernErrors"):
                    raise
                return [documents[entry["index"]] for entry in failures]
        return []

    async def upsert(
        self, collection: Collection, updates: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Apply MongoDB update documents by ``_id`` in one bulk, making what is not there."""
        await self._update(collection, updates, upsert=True)

    async def update(
        self, collection: Collection, updates: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """The same for documents that are there; an ``_id`` that is not is passed over."""
        await self._update(collection, updates, upsert=False)

    async def _update(
        self, collection: Collection, updates: Mapping[str, Mapping[str, Any]], *, upsert: bool
    ) -> None:
        if not updates:
            return
        operations = [
            UpdateOne({"_id": key}, update, upsert=upsert) for key, update in updates.items()
        ]
        with mapped_errors():
            await self._database[collection.value].bulk_write(operations, ordered=False)

    async def remove(self, collection: Collection, query: Mapping[str, Any]) -> int:
        """Delete the documents that match a MongoDB ``query``; returns how many there were."""
        with mapped_errors():
            result = await self._database[collection.value].delete_many(query)
            return int(result.deleted_count)

    async def count(self, collection: Collection, query: Mapping[str, Any]) -> int:
        """How many documents match a MongoDB ``query``."""
        with mapped_errors():
            return int(await self._database[collection.value].count_documents(query))

    async def distinct(
        self, collection: Collection, field: str, query: Mapping[str, Any]
    ) -> list[Any]:
        """Every value that ``field`` (or an element of it) has in documents that match."""
        with mapped_errors():
            return list(await self._database[collection.value].distinct(field, query))

    async def stream(
        self,
        collection: Collection,
        query: Mapping[str, Any],
        *,
        fields: Sequence[str] | None = None,
        limit: int = 0,
        sort: Sequence[tuple[str, int]] = (),
    ) -> AsyncIterator[Document]:
        """Documents that match a MongoDB ``query``, one after the other, all or some ``fields``.

        ``limit`` 0 means all: only for queries that an index keeps small. ``sort`` is pairs of a
        field and 1 (ascending) or -1.
        """
        projection = dict.fromkeys(fields, 1) if fields is not None else None
        with mapped_errors():
            found = self._database[collection.value].find(query, projection, limit=limit)
            if sort:
                found = found.sort(list(sort))
            async for document in found:
                yield document

    async def find(
        self,
        collection: Collection,
        query: Mapping[str, Any],
        *,
        fields: Sequence[str] | None = None,
        limit: int = 0,
        sort: Sequence[tuple[str, int]] = (),
    ) -> list[Document]:
        """What ``stream`` gives, as a list: for documents that are few and small."""
        found = self.stream(collection, query, fields=fields, limit=limit, sort=sort)
        return [document async for document in found]

    async def find_one(
        self,
        collection: Collection,
        query: Mapping[str, Any],
        *,
        fields: Sequence[str] | None = None,
    ) -> Document | None:
        """One document that matches a MongoDB ``query``, or None."""
        found = await self.find(collection, query, fields=fields, limit=1)
        return found[0] if found else None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def open_store(settings: ServiceSettings) -> Store:
    """The database of ``settings``. Connects when first used; the URI is never logged."""
    client: Any = AsyncIOMotorClient(
        settings.database_uri.get_secret_value(),
        serverSelectionTimeoutMS=_SELECT_SERVER_MS,
        connectTimeoutMS=_CONNECT_MS,
        socketTimeoutMS=_SOCKET_MS,
        w="majority",
        journal=True,
        appname="tocsin",
    )
    return Store(client, settings.database_name)
