"""A filter's messages as they come, decoded, as one caller may see them."""

from __future__ import annotations

import asyncio
import io
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

import fastavro
import orjson
from aiokafka import TopicPartition

from services.portal.reading.seen import Sight
from services.portal.reading.topics import Offsets, reading
from shared.schemas.avro.registered import RegisteredSchema, alert_registered
from shared.settings import ServiceSettings
from shared.store import Collection, Store

HEARTBEAT_S = 15.0
_FETCH_MS = 1000
_HEADER = struct.Struct(">bi")


class Schemas:
    """Parsed Avro schemas by id."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: dict[int, Any] = {}

    async def of_id(self, schema_id: int) -> Any:
        """The parsed schema; None if there is none of that id."""
        if schema_id not in self._parsed:
            found: RegisteredSchema | None = alert_registered()
            if found is not None and found.id != schema_id:
                row = await self._store.find_one(Collection.SCHEMAS, {"id": schema_id})
                found = RegisteredSchema.from_document(row) if row else None
            if found is None:
                return None
            self._parsed[schema_id] = fastavro.parse_schema(orjson.loads(found.text))
        return self._parsed[schema_id]


async def events_of(
    settings: ServiceSettings, topic: str, start: Offsets | None, *, earliest: bool
) -> AsyncIterator[tuple[Any, Offsets]]:
    """Messages of a topic from ``start`` on, for ever; None now and then, where there is none.

    Where ``start`` is None: from the oldest that is kept (``earliest``), or what comes from now on.
    """
    async with reading(settings, topic) as consumer:
        partitions = list(consumer.assignment())
        first = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        place: Offsets = {}
        for tp in partitions:
            begin = first[tp] if earliest or start is not None else ends[tp]
            wanted = begin if start is None else start.get(tp.partition, first[tp])
            place[tp.partition] = min(max(wanted, first[tp]), ends[tp])
            consumer.seek(TopicPartition(topic, tp.partition), place[tp.partition])
        said_s = time.monotonic()
        yield None, dict(place)
        while True:
            fetched = await consumer.getmany(timeout_ms=_FETCH_MS, max_records=200)
            for messages in fetched.values():
                for message in messages:
                    place[message.partition] = message.offset + 1
                    yield message, dict(place)
                    said_s = time.monotonic()
            if time.monotonic() - said_s >= HEARTBEAT_S:
                said_s = time.monotonic()
                yield None, dict(place)
            await asyncio.sleep(0)


async def record_of(message: Any, schemas: Schemas, sight: Sight) -> dict[str, Any] | None:
    """A message decoded; None if it is not the caller's to see, or cannot be decoded."""
    headers = dict(message.headers or ())
    survey = headers.get("survey")
    value = message.value or b""
    if len(value) < _HEADER.size:
        return None
    magic, schema_id = _HEADER.unpack_from(value)
    schema = await schemas.of_id(schema_id) if magic == 0 else None
    if schema is None:
        return None
    try:
        record = fastavro.schemaless_reader(io.BytesIO(value[_HEADER.size :]), schema, None)
    except (ValueError, EOFError, IndexError, TypeError, OverflowError):
        return None
    if not isinstance(record, dict):
        return None
    named = survey.decode(errors="replace") if survey is not None else record.get("survey")
    return sight.of_alert(record) if sight.sees(named if isinstance(named, str) else None) else None
