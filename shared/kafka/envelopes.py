"""Envelopes: one Arrow IPC stream with one record batch, the message between services.

At most 100 alerts or about 150 KB, all of one survey and one partition, in order: larger
messages cost memory in every consumer, smaller ones cost Kafka's and Faust's price per message.
"""

from __future__ import annotations

import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError

MAX_ALERTS_PER_ENVELOPE = 100
STAGE_KEY = b"tocsin.stage"
"""Schema metadata: the service that wrote the envelope."""
VERSION_KEY = b"tocsin.schema_version"
"""Schema metadata: ``ALERT_SCHEMA_VERSION`` of the writer."""


def write_envelope(batch: AlertBatch) -> bytes:
    """The batch as one Arrow IPC stream, schema included, not compressed."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.record_batch.schema) as writer:
        writer.write_batch(batch.record_batch)
    return bytes(sink.getvalue())


def read_envelope(payload: bytes) -> AlertBatch:
    """The alerts of an envelope, without a copy of their columns.

    Raises
    ------
    RejectedRecordError
        ``bad_envelope``, if the bytes are not an Arrow stream with exactly one record batch.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
            batch = reader.read_next_batch()
        batch.validate()
    except (pa.ArrowException, StopIteration, OSError, ValueError) as error:
        raise RejectedRecordError(
            "bad_envelope", f"not an Arrow stream of alerts: {error}"
        ) from error
    return AlertBatch(batch)
