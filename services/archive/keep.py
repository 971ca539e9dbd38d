"""Takes of the archive carried out: each returns only when everything in it is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.archive.metrics import ArchiveMetrics
from services.archive.store import (
    envelope_document,
    labelled_objects,
    newest_by_key,
    object_updates,
    record_document,
    renamed_for_new_topic,
)
from shared.errors import UpstreamUnavailableError
from shared.kafka.records import Envelope, Record
from shared.store import Collection, Document, Store

Take = Callable[[], Awaitable[None]]


class DatabaseKeeper:
    """Keeps envelopes and records; asked twice, it keeps them once.

    A database whose disk is full may fail so that the last commit it acknowledged is not there
    when it comes back (the local one: four times of four). So after a failure what was kept last
    is kept again, before what comes next.
    """

    def __init__(self, store: Store, metrics: ArchiveMetrics) -> None:
        self._store = store
        self._metrics = metrics
        self._prepared = False
        self._last: dict[Collection, Take] = {}
        self._doubtful: set[Collection] = set()

    async def keep_envelopes(self, envelopes: list[Envelope]) -> None:
        """One bulk for the envelopes, and one for the objects among them that matter."""
        await self._keep(Collection.ENVELOPES, lambda: self._insert_envelopes(envelopes))

    async def _insert_envelopes(self, envelopes: list[Envelope]) -> None:
        await self._insert(Collection.ENVELOPES, [envelope_document(one) for one in envelopes])
        updates = object_updates(envelope.batch for envelope in envelopes)
        await self._store.upsert(Collection.OBJECTS, updates)

    def keep_records(self, collection: Collection) -> Callable[[list[Record]], Awaitable[None]]:
        """A function that keeps records in ``collection``."""

        async def keep(records: list[Record]) -> None:
            documents = [record_document(record) for record in records]
            await self._keep(collection, lambda: self._insert(collection, documents))
            if collection is Collection.LABELS:
                await self._store.upsert(Collection.OBJECTS, labelled_objects(records))

        return keep

    def keep_newest(self, collection: Collection) -> Callable[[list[Record]], Awaitable[None]]:
        """A function that keeps, of records with a key, the newest of each in ``collection``."""

        async def keep(records: list[Record]) -> None:
            updates = newest_by_key(records)
            await self._keep(collection, lambda: self._upsert(collection, updates))

        return keep

    async def _upsert(self, collection: Collection, updates: dict[str, Document]) -> None:
        await self._prepare()
        await self._store.upsert(collection, updates)
        self._metrics.documents.labels(collection.value).inc(len(updates))

    async def _prepare(self) -> None:
        if not self._prepared:
            await self._store.prepare()
            self._prepared = True

    async def _keep(self, collection: Collection, take: Take) -> None:
        try:
            if collection in self._doubtful:
                await self._last[collection]()
                self._doubtful.discard(collection)
            await take()
        except UpstreamUnavailableError:
            self._doubtful.update(self._last)
            raise
        self._last[collection] = take

    async def _insert(self, collection: Collection, documents: list[Document]) -> None:
        await self._prepare()
        repeats = await self._store.insert(collection, documents)
        repeated = len(repeats)
        if repeats:
            there = {
                found["_id"]: found["timestamp_ms"]
                for found in await self._store.find(
                    collection,
                    {"_id": {"$in": [repeat["_id"] for repeat in repeats]}},
                    fields=["timestamp_ms"],
                )
            }
            others = [
                renamed_for_new_topic(document)
                for document in repeats
                if there.get(document["_id"]) != document["timestamp_ms"]
            ]
            repeated += len(await self._store.insert(collection, others)) - len(others)
        self._metrics.documents.labels(collection.value).inc(len(documents) - repeated)
        self._metrics.repeats.labels(collection.value).inc(repeated)
