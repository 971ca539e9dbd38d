"""From a packet's framing to its writer's schema: which survey, which program, which bytes.

Containers carry their schema (25 KB in ZTF's): the bytes of the header, sync marker apart, are
the cache's key, since one schema version comes with several orders of metadata. Confluent
messages name theirs by number.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from services.ingest.avro import Program, SlowSchemaError, UnsupportedSchemaError, compile_program
from services.ingest.avro.reference import reference_schema
from services.ingest.surveys import SURVEYS
from services.ingest.surveys.base import Survey
from shared.errors import RejectedRecordError
from shared.packets.containers import (
    MAGIC,
    iter_blocks,
    read_header,
    read_varint,
    schema_name,
    unpack,
)
from shared.packets.lsst_schemas import official_schema_json

SYNC_BYTES = 16
CONFLUENT_MAGIC = 0
CONFLUENT_HEADER_BYTES = 5
_MOST_SCHEMAS = 64
"""Schemas remembered at a time: surveys use a handful; hostile senders must not fill memory."""
_TRIED_FIRST = 4
ASK_AGAIN_S = 60.0
"""How long a schema number that was not known is taken for unknown."""


@dataclass(frozen=True)
class Writer:
    """One writer's schema: whose it is, and how to read what was written with it."""

    survey: Survey
    version: str
    schema: Any
    """As parsed JSON; if there is no program, as the reference decoder wants it."""
    program: Program | None
    """None if only fastavro can read it."""
    codec: str = "null"


@dataclass(frozen=True, slots=True)
class Framed:
    """A packet whose schema is known: its record is ``payload[start:end]``."""

    writer: Writer
    payload: bytes
    start: int
    end: int


SchemaById = Callable[[int], bytes]
"""A registry: schema JSON by number. Raises ``RejectedRecordError`` for an unknown number,
``UpstreamUnavailableError`` if it cannot be asked."""


def official_schema_by_id(schema_id: int) -> bytes:
    """Rubin's official schema: numbers are ``100 * major + minor``."""
    return official_schema_json(*divmod(schema_id, 100))


def writer_of(schema_json: bytes, codec: str = "null") -> Writer:
    """Recognise a schema and compile it.

    Raises
    ------
    RejectedRecordError
        ``bad_schema``, ``unknown_survey`` or ``unsupported_schema``.
    """
    try:
        schema = orjson.loads(schema_json)
    except orjson.JSONDecodeError as error:
        raise RejectedRecordError("bad_schema", f"the schema is no JSON: {error}") from error
    name = schema_name(schema_json)
    for survey in SURVEYS.values():
        version = survey.version_of(name, schema) if name else None
        if version is None:
            continue
        try:
            program = compile_program(schema, survey.projection)
        except SlowSchemaError:
            return Writer(survey, version, reference_schema(schema), None, codec)
        except UnsupportedSchemaError as error:
            raise RejectedRecordError("unsupported_schema", f"{name} {version}: {error}") from error
        return Writer(survey, version, schema, program, codec)
    known = ", ".join(SURVEYS)
    raise RejectedRecordError(
        "unknown_survey", f"schema {name or '(unnamed)'!r} belongs to none of {known}"
    )


class SchemaBook:
    """Remembers schemas; one for each process.

    Parameters
    ----------
    schema_by_id
        Where the schemas of Confluent messages come from. Asked once for each number, and for
        one that was not known once a minute while packets name it.
    """

    def __init__(self, schema_by_id: SchemaById = official_schema_by_id) -> None:
        self._schema_by_id = schema_by_id
        self._by_header: OrderedDict[bytes, Writer | RejectedRecordError] = OrderedDict()
        self._by_id: OrderedDict[int, tuple[Writer | RejectedRecordError, float]] = OrderedDict()
        self._recent: list[tuple[bytes, Writer]] = []

    def frame(self, payload: bytes) -> Framed:
        """Find the schema and the record of one packet.

        Raises
        ------
        RejectedRecordError
            Whatever is wrong with the framing, or the schema is not known.
        UpstreamUnavailableError
            If the schema must be asked for and the registry is down.
        """
        if payload.startswith(MAGIC):
            return self._of_container(payload)
        if not payload:
            raise RejectedRecordError("empty", "the packet has no bytes")
        if payload[0] == CONFLUENT_MAGIC:
            return self._of_confluent(payload)
        raise RejectedRecordError(
            "unknown_framing", f"neither a container nor a Confluent message: {payload[:4].hex()}"
        )

    def _of_confluent(self, payload: bytes) -> Framed:
        if len(payload) <= CONFLUENT_HEADER_BYTES:
            raise RejectedRecordError("truncated", f"a message of {len(payload)} bytes")
        schema_id = int.from_bytes(payload[1:CONFLUENT_HEADER_BYTES], "big")
        writer, asked_s = self._by_id.get(schema_id, (None, 0.0))
        stale = isinstance(writer, RejectedRecordError) and time.monotonic() > asked_s + ASK_AGAIN_S
        if writer is None or stale:
            try:
                writer = writer_of(self._schema_by_id(schema_id))
            except RejectedRecordError as error:
                writer = _to_be_kept(error)
            _remember(self._by_id, schema_id, (writer, time.monotonic()))
        if isinstance(writer, RejectedRecordError):
            raise RejectedRecordError(writer.reason, writer.detail)
        return Framed(writer, payload, CONFLUENT_HEADER_BYTES, len(payload))

    def _of_container(self, payload: bytes) -> Framed:
        recent = (pair for pair in self._recent if payload.startswith(pair[0]))
        head, writer = next(recent, None) or self._new_header(payload)
        first_block = len(head) + SYNC_BYTES
        if writer.codec != "null":
            return _unpacked(payload, writer)
        if first_block == len(payload):
            raise RejectedRecordError("no_record", "the container ends after its header")
        count, position = read_varint(payload, first_block)
        size, position = read_varint(payload, position)
        end = position + size
        if count != 1 or end + SYNC_BYTES != len(payload) or size < 0:
            # Empty blocks are legal (ATLAS ends with one); else this says what is wrong.
            return Framed(writer, payload, *_only_block(payload))
        if payload[end:] != payload[len(head) : first_block]:
            raise RejectedRecordError("bad_sync_marker", f"wrong sync marker at byte {end}")
        return Framed(writer, payload, position, end)

    def _new_header(self, payload: bytes) -> tuple[bytes, Writer]:
        header = read_header(payload)
        head = payload[: header.length - SYNC_BYTES]
        writer = self._by_header.get(head)
        if writer is None:
            try:
                writer = writer_of(header.schema_json, header.codec)
            except RejectedRecordError as error:
                writer = _to_be_kept(error)
            _remember(self._by_header, head, writer)
        if isinstance(writer, RejectedRecordError):
            raise RejectedRecordError(writer.reason, writer.detail)
        self._recent = [(head, writer), *self._recent[: _TRIED_FIRST - 1]]
        return head, writer


def _to_be_kept(error: RejectedRecordError) -> RejectedRecordError:
    """The same without its traceback, whose frames would keep the whole take of packets."""
    return RejectedRecordError(error.reason, error.detail)


def _remember(book: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    book[key] = value
    while len(book) > _MOST_SCHEMAS:
        book.popitem(last=False)


def _only_block(payload: bytes) -> tuple[int, int]:
    """Start and end of the one record of a container.

    Raises
    ------
    RejectedRecordError
        ``no_record``, ``many_records``, or whatever is wrong with the blocks.
    """
    blocks = list(iter_blocks(payload, read_header(payload)))
    count = sum(block[0] for block in blocks)
    if count == 0:
        raise RejectedRecordError("no_record", "the container holds no record")
    if count > 1:
        raise RejectedRecordError(
            "many_records",
            f"the container holds {count} records; a packet is one: one offset, one alert",
        )
    return next((start, end) for records, start, end in blocks if records == 1)


def _unpacked(payload: bytes, writer: Writer) -> Framed:
    start, end = _only_block(payload)
    record = unpack(payload[start:end], writer.codec)
    return Framed(writer, record, 0, len(record))
