"""Which nights the database holds, and their alerts as tables."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from shared.archive.nights import mjd_tai_now, nights_of, span_of
from shared.archive.snapshots import current_snapshot
from shared.kafka.envelopes import read_envelope
from shared.store import Collection, Document, Store

ENVELOPES_PER_TABLE = 50


@dataclass(frozen=True, slots=True)
class DatabaseNight:
    """A night of a survey, as the database has it."""

    survey: str
    night: int
    envelopes: int
    """Documents that hold alerts of it."""


async def nights_in(store: Store, surveys: list[str] | None = None) -> list[DatabaseNight]:
    """Every night of every survey that the database has alerts of."""
    found = []
    for survey in sorted(filter(None, await store.distinct(Collection.ENVELOPES, "survey", {}))):
        if surveys and survey not in surveys:
            continue
        nights = await store.distinct(Collection.ENVELOPES, "nights", {"survey": survey})
        for night in sorted(nights):
            count = await store.count(Collection.ENVELOPES, {"survey": survey, "nights": night})
            found.append(DatabaseNight(survey, night, count))
    return found


async def due_nights(
    store: Store, root: Path, now: dt.datetime, quiet_s: float
) -> list[DatabaseNight]:
    """Nights that are over, quiet for ``quiet_s``, and not packed with all they have."""
    due = []
    since_ms = int((now.timestamp() - quiet_s) * 1000)
    for one in await nights_in(store):
        if mjd_tai_now(now) < span_of(one.night)[1]:
            continue
        snapshot = current_snapshot(root, one.survey)
        packed = snapshot.nights.get(one.night) if snapshot else None
        if packed is not None and packed.envelopes == one.envelopes:
            continue
        recent = {
            "survey": one.survey, "nights": one.night, "timestamp_ms": {"$gt": since_ms},
        }  # fmt: skip
        if not await store.find(Collection.ENVELOPES, recent, fields=["_id"], limit=1):
            due.append(one)
    return due


def night_tables(
    runner: asyncio.Runner, store: Store, survey: str, night: int
) -> Iterator[pa.Table]:
    """The alerts of a night, some thousand at a time; ``runner`` is the loop of ``store``."""
    documents = store.stream(
        Collection.ENVELOPES, {"survey": survey, "nights": night}, fields=["batch"]
    )
    gathered: list[pa.RecordBatch] = []
    while (document := runner.run(_next(documents))) is not None:
        batch = read_envelope(document["batch"])
        if not len(batch):
            continue
        is_of_night = nights_of(batch.floats("mjd_tai")) == night
        gathered.append((batch if is_of_night.all() else batch.rows(is_of_night)).record_batch)
        if len(gathered) == ENVELOPES_PER_TABLE:
            yield _table(gathered)
            gathered = []
    if gathered:
        yield _table(gathered)


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.concat_tables(
        [pa.Table.from_batches([batch]) for batch in batches], promote_options="permissive"
    ).replace_schema_metadata(None)


async def _next(documents: AsyncIterator[Document]) -> Document | None:
    return await anext(documents, None)
