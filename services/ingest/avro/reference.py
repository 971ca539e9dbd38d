"""The reference decoder: fastavro, for the schemas that the compiled path does not know.

Slow (a millisecond per packet), and only given schemas whose arrays have items of at least one
byte, so that no count can outgrow the packet.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import fastavro
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from fastavro.schema import SchemaParseException

from services.ingest.avro import instructions as op
from services.ingest.avro.columns import Decoded, Ragged, short_code
from services.ingest.avro.kernel import MAX_ITEMS
from services.ingest.avro.program import Column, Projection, TooMuchAtOnceError
from shared.errors import RejectedRecordError

MAX_RECORD_BYTES = 1 << 20
"""Python objects take some hundred times as much memory as their bytes."""


def reference_schema(schema: Any) -> Any:
    """A schema as fastavro wants it, without logical types: the compiled path has none either.

    Raises
    ------
    RejectedRecordError
        ``unsupported_schema``, if fastavro does not take it.
    """
    try:
        return fastavro.parse_schema(_plain(schema))
    except (SchemaParseException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RejectedRecordError("unsupported_schema", f"fastavro: {error!r}") from error


def _plain(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _plain(part) for key, part in schema.items() if key != "logicalType"}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


def decode_by_reference(
    schema: Any,
    projection: Projection,
    payloads: Sequence[bytes],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Decoded:
    """Decode with fastavro; the result is as ``decode``'s, numbers as long or double.

    ``schema`` is what ``reference_schema`` gives, of one that ``compile_program`` called slow.

    Raises
    ------
    TooMuchAtOnceError
        If several packets are more than ``MAX_RECORD_BYTES`` together; a larger one is refused.
    """
    if len(payloads) > 1 and int((ends - starts).sum()) > MAX_RECORD_BYTES:
        raise TooMuchAtOnceError
    faults = np.zeros(len(payloads), np.int64)
    records: list[dict[str, Any]] = []
    for row, payload in enumerate(payloads):
        if ends[row] - starts[row] > MAX_RECORD_BYTES:
            faults[row] = op.TOO_LARGE
            continue
        stream = io.BytesIO(payload[starts[row] : ends[row]])
        try:
            record: Any = fastavro.schemaless_reader(stream, schema, None)
        except (ValueError, LookupError, EOFError, TypeError, OverflowError, MemoryError):
            faults[row] = op.TRUNCATED
            continue
        if stream.read(1):
            faults[row] = op.TRAILING_BYTES
            continue
        if any(len(_items(record, name)) > MAX_ITEMS for name in projection.lists):
            faults[row] = op.TOO_MANY_ITEMS
            continue
        records.append(_wanted(record, projection))
    columns: dict[str, Column] = {}
    rows: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]] = []
    texts: dict[str, pa.Array] = {}
    for path in (*projection.scalars, *projection.present):
        values = [_member(record, path) for record in records]
        if any(isinstance(value, str) for value in values):
            texts[path] = pa.array([v if isinstance(v, str) else None for v in values], pa.string())
        elif path in projection.present:
            _add(columns, rows, path, [True if value is not None else None for value in values])
        else:
            _add(columns, rows, path, values)
    lists = {
        name: _ragged([_items(record, name) for record in records], members)
        for name, members in projection.lists.items()
    }
    raw, valid = _stacked(rows, len(records))
    return Decoded(np.flatnonzero(faults == op.OK), faults, raw, valid, columns, texts, lists)


def _items(record: dict[str, Any], name: str) -> list[Any]:
    items = record.get(name)
    return items if isinstance(items, list) else []


def _wanted(record: dict[str, Any], projection: Projection) -> dict[str, Any]:
    """The members of a record that anything is wanted of: cutouts are large."""
    tops = {path.partition(".")[0] for path in (*projection.scalars, *projection.present)}
    return {name: record[name] for name in (*tops, *projection.lists) if name in record}


def _member(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _ragged(items: list[list[Any]], members: tuple[str, ...]) -> Ragged:
    offsets = np.zeros(len(items) + 1, np.int64)
    np.cumsum([len(item) for item in items], out=offsets[1:])
    columns: dict[str, Column] = {}
    rows: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]] = []
    for member in members:
        _add(columns, rows, member, [_member(one, member) for item in items for one in item])
    raw, valid = _stacked(rows, int(offsets[-1]))
    return Ragged(offsets, raw, valid, columns)


def _add(
    columns: dict[str, Column],
    rows: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]],
    name: str,
    values: list[Any],
) -> None:
    """Append one column's raw values, unless nobody gives any."""
    given = [value for value in values if value is not None]
    if not given:
        return
    if isinstance(given[0], str):
        kind = op.KIND_SHORT_STRING
        short = [v if isinstance(v, str) and len(v.encode()) <= 8 else "" for v in values]
        raw = np.array([short_code(v) for v in short], np.uint64)
    else:
        # A union may hold other things in other rows.
        values = [v if isinstance(v, bool | int | float) else None for v in values]
        given = [value for value in values if value is not None]
        if not given:
            return
        kind = op.KIND_DOUBLE
        if all(isinstance(value, int) for value in given):
            kind = op.KIND_BOOLEAN if isinstance(given[0], bool) else op.KIND_LONG
        dtype = np.float64 if kind == op.KIND_DOUBLE else np.int64
        raw = np.array([0 if v is None else v for v in values], dtype).view(np.uint64)
    columns[name] = Column(name, kind, len(rows))
    rows.append((raw, np.array([v is not None for v in values], np.uint8)))


def _stacked(
    rows: list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]], n: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
    if not rows:
        return np.zeros((1, n), np.uint64), np.zeros((1, n), np.uint8)
    return np.stack([raw for raw, _ in rows]), np.stack([valid for _, valid in rows])
