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
        self._voted_file = reference.with_name("anomaly_voted.npz")
        self._voted_kept = 0
        self._capacity, self._length = capacity, list_length
        self._lock = threading.Lock()
        self._heard: list[Vote] = []
        self._early: list[tuple[list[str], Rows, list[str]]] = []
        self._panel: Panel | None = None
        self._listed_ms: dict[str, int] = {}
        self._dirty: set[str] = set()
        if reference.exists():
            self._begin(arrays_from_bytes(reference.read_bytes())["rows"])

    def _begin(self, rows: Rows) -> None:
        self._panel = Panel(SharedForest(rows, seed=0), FEATURES, self._capacity)
        if self._voted_file.exists():
            kept = arrays_from_bytes(self._voted_file.read_bytes())
            self._panel.remember(dict(zip(kept["object_id"].tolist(), kept["rows"], strict=True)))
            self._voted_kept = len(self._panel.voted)
        for names, own, surveys in self._early:
            self._panel.see(names, own, surveys)
        self._early.clear()

    @property
    def user_count(self) -> int:
        """How many users the panel has heard; no lock: a scrape must not wait for a fit."""
        return 0 if self._panel is None else self._panel.user_count

    @property
    def object_count(self) -> int:
        """How many objects can be asked about."""
        return 0 if self._panel is None else len(self._panel)

    def hear(self, vote: Vote) -> None:
        """Take a vote in; it is worked on with the next lists."""
        with self._lock:
            self._heard.append(vote)

    @property
    def is_full(self) -> bool:
        """Whether older alerts need not be recalled."""
        with self._lock:
            return self._panel is not None and self._panel.is_full

    def see(self, batch: AlertBatch) -> None:
        """Take alerts in; grow the trees as soon as there are enough."""
        names, rows, surveys = _rows_of(batch)
        with self._lock:
            if self._panel is not None:
                self._panel.see(names, rows, surveys)
            elif names:
                self._wait_for_trees(names, rows, surveys)

    def recall(self, batch: AlertBatch) -> None:
        """Take in alerts from before a restart, the newest batch first."""
        names, rows, surveys = _rows_of(batch)
        with self._lock:
            if self._panel is not None:
                self._panel.recall(names, rows, surveys)
            elif names:
                self._wait_for_trees(names, rows, surveys)

    def _wait_for_trees(self, names: list[str], rows: Rows, surveys: list[str]) -> None:
        self._early.append((names, rows, surveys))
        if sum(len(one) for one, *_ in self._early) < self._wanted:
            return
        # An alert may have come twice, recalled and read.
        reference = np.unique(np.concatenate([own for _, own, _ in self._early]), axis=0)
        if len(reference) >= self._wanted:
            put(self._file, arrays_to_bytes({"rows": reference}))
            self._begin(reference)

    def changed_lists(self, now_ms: int) -> Mapping[str, Document]:
        """Lists of users who voted since, or whose list is old; by user."""
        with self._lock:
            if self._panel is None:
                return {}
            heard, self._heard = self._heard, []
            self._dirty |= set(self._panel.take(heard))
            self._keep_voted(self._panel)
            old = {
                user for user in self._panel.users
                if now_ms - self._listed_ms.get(user, 0) > REFRESH_MS
            }  # fmt: skip
            return {user: self._document(user, now_ms) for user in sorted(self._dirty | old)}

    def _keep_voted(self, panel: Panel) -> None:
        """Rows that votes were about: Kafka forgets the alerts sooner than the votes."""
        if len(panel.voted) == self._voted_kept:
            return
        rows = np.stack(list(panel.voted.values()))
        names = np.array(list(panel.voted), dtype=str)
        put(self._voted_file, arrays_to_bytes({"object_id": names, "rows": rows}))
        self._voted_kept = len(panel.voted)

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
                    "survey": one.survey,
                    "score": round(one.score, 6),
                    "reasons": _words(one.reasons),
                }
                for one in ranked
            ],
        }


def _rows_of(batch: AlertBatch) -> tuple[list[str], Rows, list[str]]:
    """Objects with enough detections, their rows, and whose names those are."""
    features = compute_features(batch)
    enough = np.flatnonzero(features.of("n_detections") >= LEAST_DETECTIONS)
    rows = np.ascontiguousarray(features.values[_ROWS][:, enough].T)
    names = batch.strings("object_id")
    kept = [str(names[k]) for k in enough.tolist()]
    return kept, rows, [batch.survey] * len(kept)


def _words(reasons: Iterable[tuple[str, float]]) -> list[Document]:
    return [{"feature": name, "share": round(share, 6)} for name, share in reasons]
