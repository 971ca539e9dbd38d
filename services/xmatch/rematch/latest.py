"""The latest alert of each object in the archive, found without reading the alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import read_envelope
from shared.store import Collection, Store

DOCUMENTS_AT_ONCE = 50
"""Envelopes fetched together: some 25 MB."""

Rows = dict[str, list[int]]
"""By envelope (``_id`` in the archive) the rows that are some object's latest alert."""


@dataclass(slots=True)
class Seen:
    """Objects that a later night has shown already, as sorted hashes of this process."""

    hashes: npt.NDArray[np.int64]

    @classmethod
    def nothing(cls) -> Seen:
        """Before the first night."""
        return cls(np.zeros(0, np.int64))


async def latest_rows(store: Store, query: Mapping[str, Any], seen: Seen) -> Rows:
    """Which rows of the envelopes of ``query`` are the latest alerts of objects not ``seen``.

    Envelopes of one object are in one partition, in order; their place in time is the time of
    the message. ``seen`` grows by the objects found. Some 50 bytes of memory an alert.
    """
    ids: list[str] = []
    stamps: list[int] = []
    hashes, documents, rows = [], [], []
    async for document in store.stream(
        Collection.ENVELOPES, query, fields=["object_ids", "timestamp_ms"]
    ):
        names = document["object_ids"]
        hashes.append(np.fromiter(map(hash, names), np.int64, len(names)))
        documents.append(np.full(len(names), len(ids), np.int32))
        rows.append(np.arange(len(names), dtype=np.int32))
        ids.append(document["_id"])
        stamps.append(document["timestamp_ms"])
    if not ids:
        return {}
    which, document_of, row_of = (np.concatenate(part) for part in (hashes, documents, rows))
    time = np.array(stamps)[document_of]
    order = np.lexsort((row_of, document_of, time, which))
    is_last = np.append(np.diff(which[order]) != 0, True)
    last = order[is_last]
    last = last[~np.isin(which[last], seen.hashes)]
    seen.hashes = np.union1d(seen.hashes, which[last])
    found: Rows = {}
    for place in np.sort(last).tolist():
        found.setdefault(ids[document_of[place]], []).append(int(row_of[place]))
    return found


async def alerts_of(store: Store, rows: Rows) -> AsyncIterator[AlertBatch]:
    """Those alerts, an envelope's at a time."""
    ids = list(rows)
    for start in range(0, len(ids), DOCUMENTS_AT_ONCE):
        query = {"_id": {"$in": ids[start : start + DOCUMENTS_AT_ONCE]}}
        async for document in store.stream(Collection.ENVELOPES, query, fields=["batch"]):
            batch = read_envelope(document["batch"])
            keep = np.zeros(len(batch), np.bool_)
            keep[rows[document["_id"]]] = True
            yield batch.rows(keep)
