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

from services.ingest.avro import instructions as op
from services.ingest.avro.columns import Decoded, Ragged, short_code
from services.ingest.avro.program import Column, Projection


def decode_by_reference(
    schema: Any,
    projection: Projection,
    payloads: Sequence[bytes],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Decoded:
    """Decode with fastavro; the result is as ``decode``'s, numbers as long or double."""
    parsed = fastavro.parse_schema(schema)
    faults = np.zeros(len(payloads), np.int64)
    records: list[dict[str, Any]] = []
    for row, payload in enumerate(payloads):
        stream = io.BytesIO(payload[starts[row] : ends[row]])
        try:
            record: Any = fastavro.schemaless_reader(stream, parsed, None)
        except (ValueError, LookupError, EOFError, TypeError, OverflowError, MemoryError):
            faults[row] = op.TRUNCATED
            continue
        if stream.read(1):
            faults[row] = op.TRAILING_BYTES
            continue
        records.append(record)
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
        name: _ragged([record.get(name) or [] for record in records], members)
        for name, members in projection.lists.items()
    }
    raw, valid = _stacked(rows, len(records))
    return Decoded(np.flatnonzero(faults == op.OK), faults, raw, valid, columns, texts, lists)


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
        bits = [short_code(v) if isinstance(v, str) and len(v) <= 8 else 0 for v in values]
        raw = np.array(bits, np.uint64)
    elif not isinstance(given[0], bool | int | float):
        return
    else:
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
