"""The Avro schemas of out topics, by Confluent schema id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fastavro
import orjson

from shared.schemas.avro.registered import RegisteredSchema, alert_registered
from shared.store import Collection, Store


class Schemas:
    """Parsed schemas, kept once they were needed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: dict[int, Mapping[str, Any]] = {}

    async def of_id(self, schema_id: int) -> Mapping[str, Any]:
        """The parsed schema.

        Raises
        ------
        ValueError
            If no such schema is known.
        """
        if schema_id not in self._parsed:
            found = alert_registered()
            if found.id != schema_id:
                row = await self._store.find_one(Collection.SCHEMAS, {"id": schema_id})
                if row is None:
                    raise ValueError(f"no schema has the id {schema_id}")
                found = RegisteredSchema.from_document(row)
            parsed: Any = fastavro.parse_schema(orjson.loads(found.text))
            self._parsed[schema_id] = parsed
        return self._parsed[schema_id]
