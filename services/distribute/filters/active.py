"""The filters that run now: those of the operator's file, and the active ones of the database.

The database is asked every other second. When something has changed, a new engine is made and
planned beside the stream, its topics are made and its schemas written down, and only then does the
next take use it: no take is delayed, none is missed, and a filter that did not change notices
nothing. While the database is away the filters stay as they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog

from services.distribute.metrics import DistributeMetrics
from services.distribute.out_topics import OutTopics
from shared.errors import UpstreamUnavailableError
from shared.filters.engine import FilterEngine
from shared.filters.guard import Limits
from shared.filters.judged import judged
from shared.filters.kept import BUILT_IN_VERSION, State, document_id, from_document, to_document
from shared.filters.refusal import FilterRefusedError
from shared.filters.schemas import schema_of
from shared.filters.user_filter import UserFilter
from shared.kafka.topics import out_topic
from shared.schemas.avro.registered import subject_of
from shared.store import Collection, Store

log = structlog.get_logger()
_MOST_FILTERS = 2000
Known = Mapping[str, tuple[UserFilter, int]]
"""By name a filter and when it was activated: what a change is seen by."""


class ActiveFilters:
    """The engine of the moment.

    Parameters
    ----------
    built_in
        Filters of the operator's file: they run whatever the database says.
    limits
        Of each run.
    private_surveys
        Groups that private surveys are for.
    prefix
        Of topic names.
    store
        The database; None if only the file counts.
    topics, metrics
        Where new topics are made, and filters counted.
    """

    def __init__(
        self,
        built_in: Sequence[UserFilter],
        limits: Limits,
        private_surveys: Mapping[str, frozenset[str]],
        prefix: str,
        store: Store | None,
        topics: OutTopics,
        metrics: DistributeMetrics,
    ) -> None:
        self._built_in = {each.name: each for each in built_in}
        self._limits = limits
        self._private_surveys = private_surveys
        self._prefix = prefix
        self._store = store
        self._topics = topics
        self._metrics = metrics
        self._known: Known = {}
        self._written_down: set[str] = set()
        self._is_ready = store is None
        self._lock = asyncio.Lock()
        self.engine = FilterEngine(list(self._built_in.values()), limits, private_surveys)
        metrics.running(self.engine.filters)

    async def ready(self) -> None:
        """Return when the database was asked at least once; quick from then on.

        Raises
        ------
        UpstreamUnavailableError
            If it, or Kafka, does not answer: alerts wait, or active filters would miss them.
        """
        await self._topics.ensure()
        if not self._is_ready:
            await self.refresh()

    async def follow(self, every_s: float) -> None:
        """Make the topics, and ask again and again, for ever; what is away is asked again."""
        while True:
            try:
                await self.ready()
                await self.refresh()
            except UpstreamUnavailableError as error:
                log.warning("filters_not_refreshed", error=str(error))
            await asyncio.sleep(every_s)

    async def refresh(self) -> None:
        """Ask the database once; make another engine if something has changed.

        Raises
        ------
        UpstreamUnavailableError
            If the database or Kafka does not answer.
        """
        if self._store is None:
            return
        async with self._lock:
            await self._write_down_pauses(self._store)
            wanted = await self._active(self._store)
            if not self._is_ready or wanted.keys() != self._known.keys() or wanted != self._known:
                await self._replace(self._store, wanted)
            self._is_ready = True

    async def _active(self, store: Store) -> dict[str, tuple[UserFilter, int]]:
        found = await store.find(
            Collection.FILTERS, {"state": State.ACTIVE.value}, limit=_MOST_FILTERS
        )
        wanted: dict[str, tuple[UserFilter, int]] = {}
        for document in sorted(found, key=lambda one: (one["name"], one["version"])):
            if document["version"] == BUILT_IN_VERSION or document["name"] in self._built_in:
                continue
            activated_ms = int(document.get("activated_ms") or 0)
            if self._known.get(document["name"], (None, -1))[1] == activated_ms:
                wanted[document["name"]] = self._known[document["name"]]
                continue
            try:
                each = from_document(document)
                await asyncio.to_thread(judged, each)
            except (FilterRefusedError, ValueError) as error:
                await _pause(store, document["_id"], str(error))
                continue
            wanted[each.name] = (each, activated_ms)
        return wanted

    async def _replace(self, store: Store, wanted: Known) -> None:
        filters = [*self._built_in.values(), *(each for each, _ in wanted.values())]
        await self._topics.add(
            {out_topic(each.name, self._prefix): each.retention_hours for each in filters}
        )
        former = self.engine
        unchanged = {n: w for n, w in former.paused.items() if n in self._built_in}
        engine = await asyncio.to_thread(self._made, filters, former, unchanged)
        await self._write_down(store, engine)
        self.engine, self._known = engine, dict(wanted)
        self._metrics.running(engine.filters)
        self._metrics.paused(engine.paused)
        log.info("filters_replaced", running=len(filters))

    def _made(
        self, filters: Sequence[UserFilter], former: FilterEngine, paused: Mapping[str, str]
    ) -> FilterEngine:
        engine = FilterEngine(filters, self._limits, self._private_surveys)
        for name, why in paused.items():
            engine.pause(name, why)
        engine.warm(former)
        return engine

    async def _write_down(self, store: Store, engine: FilterEngine) -> None:
        """The schemas of all topics for the registry, and the file's filters for who lists them."""
        now_ms = time.time_ns() // 1_000_000
        documents = [
            schema_of(each, engine.outputs.get(name, ())).document(
                subject_of(out_topic(name, self._prefix)), now_ms
            )
            for name, each in engine.filters.items()
        ]
        fresh = [one for one in documents if one["_id"] not in self._written_down]
        await store.insert(Collection.SCHEMAS, fresh)
        if not self._written_down:
            own = [
                to_document(
                    each.model_copy(update={"version": BUILT_IN_VERSION}), State.ACTIVE, now_ms
                )
                for each in self._built_in.values()
            ]
            updates = {one["_id"]: {"$set": _without_id(one)} for one in own}
            await store.upsert(Collection.FILTERS, updates)
            gone = {"version": BUILT_IN_VERSION, "_id": {"$nin": sorted(updates)}}
            await store.remove(Collection.FILTERS, gone)
        self._written_down.update(one["_id"] for one in documents)

    async def _write_down_pauses(self, store: Store) -> None:
        for name, why in self.engine.paused.items():
            if name in self._known:
                each, _ = self._known[name]
                await _pause(store, document_id(each.name, each.version), why)


async def _pause(store: Store, key: str, why: str) -> None:
    """Pause a version, if it is still active; its owner reads the reason there."""
    await store.update(
        Collection.FILTERS,
        {key: {"$set": {"state": State.PAUSED.value, "reason": why[:1000],
                        "paused_ms": time.time_ns() // 1_000_000}}},
    )  # fmt: skip
    log.error("filter_paused_for_good", filter=key, why=why)


def _without_id(document: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != "_id"}
