"""The Avro schemas of out topics, by Confluent schema id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fastavro

from shared.schemas.avro.schema import SCHEMA_ID, alert_schema
from shared.store import Store


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
            if schema_id != SCHEMA_ID:
                raise ValueError(f"no schema has the id {schema_id}")
            parsed: Any = fastavro.parse_schema(alert_schema())
            self._parsed[schema_id] = parsed
        return self._parsed[schema_id]
