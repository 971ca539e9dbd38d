"""Where votes and alerts meet: grows the shared trees once, keeps every user's list fresh."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from services.classify.features import NAMES, compute_features
from services.classify.learning.anomalies.forest import SharedForest
from services.classify.learning.anomalies.questions import anomaly_features
from services.classify.learning.anomalies.voting import Panel
from services.classify.learning.models.base import Rows
from services.classify.learning.nightly.books import put
from services.classify.model import arrays_from_bytes, arrays_to_bytes
from shared.alert_batch import AlertBatch
from shared.schemas.vote import Vote

FEATURES = anomaly_features()
LEAST_DETECTIONS = 3
REFRESH_MS = 10_000
"""How old a list may be while alerts come in and its user is silent."""
_ROWS = [NAMES.index(name) for name in FEATURES]
Document = dict[str, Any]


class Desk:
    """The panel, before and after it has trees; used from several threads.

    Parameters
    ----------
    reference
        File of the alerts that the trees were grown on: so that they are the same after a restart.
    reference_alerts
        How many those are.
    capacity, list_length
        Objects that are kept, and on a list.
    """

    def __init__(
        self, reference: Path, *, reference_alerts: int, capacity: int, list_length: int
    ) -> None:
        self._file, self._wanted = reference, reference_alerts
        self._capacity, self._length = capacity, list_length
        self._lock = threading.Lock()
        self._heard: list[Vote] = []
        self._early: list[tuple[list[str], Rows]] = []
        self._panel: Panel | None = None
        self._listed_ms: dict[str, int] = {}
        self._dirty: set[str] = set()
        if reference.exists():
            self._begin(arrays_from_bytes(reference.read_bytes())["rows"])

    def _begin(self, rows: Rows) -> None:
        self._panel = Panel(SharedForest(rows, seed=0), FEATURES, self._capacity)
        for names, own in self._early:
            self._panel.see(names, own)
        self._early.clear()

    def hear(self, vote: Vote) -> None:
        """Take a vote in; it is worked on with the next lists."""
        with self._lock:
            self._heard.append(vote)

    def see(self, batch: AlertBatch) -> None:
        """Take alerts in; grow the trees as soon as there are enough."""
        features = compute_features(batch)
        enough = np.flatnonzero(features.of("n_detections") >= LEAST_DETECTIONS)
        if not len(enough):
            return
        rows = np.ascontiguousarray(features.values[_ROWS][:, enough].T)
        names = batch.strings("object_id")
        kept = [str(names[k]) for k in enough.tolist()]
        with self._lock:
            if self._panel is not None:
                self._panel.see(kept, rows)
                return
            self._early.append((kept, rows))
            if sum(len(one) for one, _ in self._early) >= self._wanted:
                reference = np.concatenate([own for _, own in self._early])
                put(self._file, arrays_to_bytes({"rows": reference}))
                self._begin(reference)

    def changed_lists(self, now_ms: int) -> Mapping[str, Document]:
        """Lists of users who voted since, or whose list is old; by user."""
        with self._lock:
            if self._panel is None:
                return {}
            heard, self._heard = self._heard, []
            self._dirty |= set(self._panel.take(heard))
            old = {
                user for user in self._panel.users
                if now_ms - self._listed_ms.get(user, 0) > REFRESH_MS
            }  # fmt: skip
            return {user: self._document(user, now_ms) for user in sorted(self._dirty | old)}

    def published(self, lists: Mapping[str, Document]) -> None:
        """The lists are where they belong."""
        with self._lock:
            self._dirty -= set(lists)
            self._listed_ms |= {user: int(one["at_ms"]) for user, one in lists.items()}

    def _document(self, user: str, now_ms: int) -> Document:
        if self._panel is None:
            raise ValueError("there is no list before there are trees")
        ranked = self._panel.top(user, self._length)
        return {
            "at_ms": now_ms,
            "objects": len(self._panel),
            "top": [
                {
                    "object_id": one.object_id,
                    "score": round(one.score, 6),
                    "reasons": _words(one.reasons),
                }
                for one in ranked
            ],
        }


def _words(reasons: Iterable[tuple[str, float]]) -> list[Document]:
    return [{"feature": name, "share": round(share, 6)} for name, share in reasons]
