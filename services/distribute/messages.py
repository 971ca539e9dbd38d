"""Wanted alerts as Kafka messages: the whole alert, or the columns of a filter's SELECT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.filters.engine import FilterEngine, Mask
from shared.filters.output import OutputColumn
from shared.filters.projection import Projected
from shared.filters.schemas import schema_of
from shared.kafka.records import Message
from shared.schemas.avro.columns import confluent_header, encode_chunks
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.avro.schema import SCHEMA_NAME

DELIVERY_ID = "delivery_id"
"""Header by which a repeat is known: an alert's origin, or an association's own identity."""

ByRow = dict[int, Message]
"""Messages by the row of the batch they are about."""
Partitions = npt.NDArray[np.int64]
"""Partition of the river each alert of a batch came by, shape (n,)."""


def whole_alerts(table: pa.Table, wanted: Mask, partitions: Partitions) -> ByRow:
    """The wanted alerts, every published column, by row."""
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return {}
    batch = table.take(pa.array(rows)).combine_chunks().to_batches()[0]
    envelopes = _envelopes(batch, partitions[rows])
    schema = SCHEMA_NAME.encode()
    return {
        row: _message(body, envelope, schema)
        for row, body, envelope in zip(rows.tolist(), encode_alerts(batch), envelopes, strict=True)
    }


def selected_columns(
    engine: FilterEngine,
    table: pa.Table,
    survey: str,
    masks: Mapping[str, Mask],
    partitions: Partitions,
) -> dict[str, ByRow]:
    """What filters with a SELECT send, by filter and row.

    A column that many filters send is encoded once.
    """
    projected = engine.project(table, survey, masks)
    if projected is None:
        return {}
    envelopes = _envelopes(projected.alerts, partitions[projected.rows])
    chunks: dict[tuple[str, pa.DataType], list[bytes]] = {}
    found: dict[str, ByRow] = {}
    for name, mask in masks.items():
        columns = engine.outputs.get(name)
        if columns is None or name in engine.paused:
            continue
        try:
            encoded = [_chunks(projected, column, chunks) for column in columns]
        except (ValueError, TypeError) as error:
            engine.pause(name, f"cannot be sent: {error}")
            continue
        schema = schema_of(engine.filters[name], columns)
        head, header = confluent_header(schema.id), schema.name.encode()
        found[name] = {
            int(projected.rows[at]): _message(
                head + b"".join([column[at] for column in encoded]), envelopes[at], header
            )
            for at in np.flatnonzero(mask[projected.rows]).tolist()
        }
    return found


def _chunks(
    projected: Projected,
    column: OutputColumn,
    chunks: dict[tuple[str, pa.DataType], list[bytes]],
) -> list[bytes]:
    key = (column.sql, column.field.type)
    if key not in chunks:
        batch = projected.alerts
        if not column.plain:
            batch = pa.RecordBatch.from_arrays([projected.computed[column.sql]], [column.sql])
        chunks[key] = encode_chunks(batch, column.sql, column.field, is_published=column.plain)
    return chunks[key]


_Envelope = tuple[bytes, int, tuple[tuple[str, bytes], ...]]
"""Key, partition and headers of a message, whatever is in it."""


def _envelopes(wanted: pa.RecordBatch, partitions: Partitions) -> list[_Envelope]:
    def values(name: str) -> Iterable[object]:
        column: list[object] = wanted.column(name).to_pylist()
        return column

    return [
        (
            str(object_id).encode(),
            int(partition),
            (
                (DELIVERY_ID, f"{topic}/{origin_partition}/{offset}".encode()),
                ("alert_id", str(alert_id).encode()),
                ("survey", str(survey).encode()),
            ),
        )
        for object_id, alert_id, survey, topic, origin_partition, offset, partition in zip(
            values("object_id"),
            values("alert_id"),
            values("survey"),
            values("origin_topic"),
            values("origin_partition"),
            values("origin_offset"),
            partitions,
            strict=True,
        )
    ]


def _message(body: bytes, envelope: _Envelope, schema: bytes) -> Message:
    key, partition, headers = envelope
    return Message(body, key, partition=partition, headers=(*headers, ("schema", schema)))
