"""What a message of one of our topics says, as a JSON document."""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import fastavro
import orjson

from shared.errors import RejectedRecordError
from shared.kafka.records import Record
from shared.kafka.topics import OUT_PREFIX, Topic
from shared.schemas.association import Association
from shared.schemas.watched import IS_PUBLIC, OWNER

SchemaOf = Callable[[int], Awaitable[Mapping[str, Any]]]
"""The parsed Avro schema of a Confluent schema id."""

_CONFLUENT_MAGIC = 0
_HEADER_BYTES = 5
_UNREADABLE = (
    ValueError, KeyError, TypeError, IndexError, EOFError, OverflowError, AttributeError,
    RecursionError, MemoryError, struct.error,
)  # fmt: skip
"""What Avro and JSON readers raise on bytes that are none of ours."""
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024


class Documents:
    """Reads messages by the kind of their topic.

    Parameters
    ----------
    schema_of
        How an Avro schema is found by its id.
    """

    def __init__(self, schema_of: SchemaOf) -> None:
        self._schema_of = schema_of

    async def read(self, source: str, record: Record, owner: str) -> tuple[str, str, bytes]:
        """Subject, object id and JSON of a message, as ``owner`` may see it.

        Raises
        ------
        RejectedRecordError
            ``bad_message``, if it is not what its topic holds.
        """
        try:
            if source.startswith(OUT_PREFIX):
                document = _seen_by(owner, await self._alert(record.value))
                subject = str(document.get("alert_id") or document.get("object_id") or "")
                object_id = str(document.get("object_id") or "")
            elif source == Topic.ASSOCIATIONS:
                association = Association.from_json(record.value)
                subject, object_id = association.delivery_id, association.object_id
                document = association.model_dump(mode="json")
            elif source == Topic.VOEVENTS:
                subject, object_id = "", ""
                document = {"voevent": record.value.decode()}
            else:
                document = json.loads(record.value)
                if not isinstance(document, dict):
                    raise ValueError("not a JSON object")
                subject = f"{document.get('list_id', '')}/{document.get('object_id', '')}"
                object_id = str(document.get("object_id") or "")
            text = orjson.dumps(_without_nan(document))
        except _UNREADABLE as error:
            raise RejectedRecordError("bad_message", f"{record.topic}: {error!r}"[:300]) from error
        if len(text) > MAX_DOCUMENT_BYTES:
            raise RejectedRecordError("too_large", f"{len(text)} bytes as JSON")
        return subject, object_id, text

    async def _alert(self, value: bytes) -> dict[str, Any]:
        magic, schema_id = struct.unpack_from(">bi", value)
        if magic != _CONFLUENT_MAGIC:
            raise ValueError("not in Confluent framing")
        schema = await self._schema_of(schema_id)
        read: Any = fastavro.schemaless_reader(
            io.BytesIO(value[_HEADER_BYTES:]), dict(schema), None
        )
        return dict(read)


def _seen_by(owner: str, value: Any) -> Any:
    """The same without hits of other people's private lists, under whatever names it has them."""
    if isinstance(value, dict):
        return {name: _seen_by(owner, item) for name, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [
            _seen_by(owner, one)
            for one in value
            if IS_PUBLIC not in one or OWNER not in one or one[IS_PUBLIC] or one[OWNER] == owner
        ]
    return value


def _without_nan(value: Any) -> Any:
    """The same with null for what JSON has no number for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value
