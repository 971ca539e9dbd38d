"""Alerts to messages: one partition for each object, envelopes of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import MAX_ALERTS_PER_ENVELOPE, write_envelope
from shared.kafka.records import Message

ENVELOPE_BYTES = 256 * 1024
"""About where an envelope is closed; one alert alone may be larger."""
_BYTES_PER_ALERT = 1000
_BYTES_PER_POINT = 18


def partitions_of(batch: AlertBatch, partitions: int) -> npt.NDArray[np.int64]:
    """The partition of each alert, shape (n,): CRC-32 of its object id, for good."""
    crcs = (zlib.crc32(object_id.encode()) for object_id in batch.strings("object_id"))
    return np.fromiter(crcs, np.int64, len(batch)) % partitions


def envelopes_of(batch: AlertBatch, partitions: int) -> Iterator[Message]:
    """The alerts as messages for ``alerts``, in order within each partition."""
    placed = partitions_of(batch, partitions)
    for partition in np.unique(placed):
        part = batch.rows(placed == partition)
        sizes = _BYTES_PER_ALERT + _BYTES_PER_POINT * part.light_curves.lengths.astype(np.int64)
        first = size = 0
        for row in range(len(part)):
            full = row - first == MAX_ALERTS_PER_ENVELOPE or size + sizes[row] > ENVELOPE_BYTES
            if full and row > first:
                yield _message(part.slice(first, row - first), int(partition))
                first, size = row, 0
            size += int(sizes[row])
        yield _message(part.slice(first, len(part) - first), int(partition))


def _message(part: AlertBatch, partition: int) -> Message:
    return Message(write_envelope(part), partition=partition)
