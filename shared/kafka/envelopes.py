"""Envelopes: one Arrow IPC stream with one record batch, the message between services.

At most 256 alerts or about 500 KB, all of one survey and one partition, in order: larger
messages cost memory in every consumer, smaller ones cost Kafka's and Faust's price per message.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError
from shared.kafka.envelope_checks import read_alerts

MAX_ALERTS_PER_ENVELOPE = 256


def write_envelope(batch: AlertBatch) -> bytes:
    """The batch as one Arrow IPC stream, schema included, not compressed.

    Field metadata (meanings, units) stays at home: it is the same in every envelope, it is
    declared in ``shared.schemas``, and it would be most of a small envelope's bytes.
    """
    schema = _wire_schema(batch.record_batch.schema)
    record_batch = pa.RecordBatch.from_arrays(batch.record_batch.columns, schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(record_batch)
    return bytes(sink.getvalue())


@lru_cache(maxsize=64)
def _wire_schema(schema: pa.Schema) -> pa.Schema:
    fields = [pa.field(f.name, _bare(f.type), f.nullable) for f in schema]
    return pa.schema(fields, metadata=schema.metadata)


def _bare(type_: pa.DataType) -> pa.DataType:
    """``type_`` without the metadata of its nested fields."""
    if pa.types.is_struct(type_):
        return pa.struct([pa.field(f.name, _bare(f.type), f.nullable) for f in type_])
    if pa.types.is_list(type_):
        return pa.list_(_bare(type_.value_type))
    return type_


def read_envelope(payload: bytes) -> AlertBatch:
    """The alerts of an envelope, without a copy of their columns.

    Raises
    ------
    RejectedRecordError
        ``bad_envelope``, if the bytes are not one Arrow record batch of alerts as ingest makes
        them. Of the columns that later stages add only the memory is judged.
    """
    try:
        batch = read_alerts(payload)
    except (
        pa.ArrowException, StopIteration, EOFError, OSError, ValueError, struct.error,
    ) as error:  # fmt: skip
        raise RejectedRecordError(
            "bad_envelope", f"not an Arrow stream of alerts: {error}"
        ) from error
    return AlertBatch(batch)
