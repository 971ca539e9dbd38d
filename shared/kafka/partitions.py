"""Alerts to messages: one partition for each object, envelopes of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import MAX_ALERTS_PER_ENVELOPE, write_envelope
from shared.kafka.records import Message

ENVELOPE_BYTES = 512 * 1024
"""About the largest envelope; one alert alone may be larger."""
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
        for first, length in _even_runs(_estimated_bytes(part)):
            yield _message(part.slice(first, length), int(partition))


def _estimated_bytes(part: AlertBatch) -> npt.NDArray[np.int64]:
    """About what each alert takes in an envelope, shape (n,)."""
    return _BYTES_PER_ALERT + _BYTES_PER_POINT * part.light_curves.lengths.astype(np.int64)


def _even_runs(sizes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Start and length of runs of equal numbers, as few as the limits allow.

    Even, because a full envelope and a stub of three alerts cost every stage two messages'
    price: 257 alerts are 128 and 129.
    """
    by_count = -(-len(sizes) // MAX_ALERTS_PER_ENVELOPE)
    by_bytes = -(-int(sizes.sum()) // ENVELOPE_BYTES)
    bounds = np.linspace(0, len(sizes), min(max(by_count, by_bytes), len(sizes)) + 1).astype(int)
    for first, stop in pairwise(bounds):
        yield int(first), int(stop - first)


def _message(part: AlertBatch, partition: int) -> Message:
    return Message(write_envelope(part), partition=partition)
