"""What the worker of votes measures: labels and votes it has read, users, and their lists."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge

from shared.kafka.records import Record
from shared.schemas.label import Label
from shared.schemas.vote import Vote


class LearningMetrics:
    """Gauges, not counters: both topics are read again from their start by every worker.

    Parameters
    ----------
    registry
        The worker's.
    users, objects
        Ask how many users have voted, and how many objects can be asked about.
    """

    def __init__(
        self, registry: CollectorRegistry, users: Callable[[], int], objects: Callable[[], int]
    ) -> None:
        self._labels = Gauge(
            "tocsin_learning_labels",
            "Labels on the topic, by how they are known; withdrawals too",
            ("source",),
            registry=registry,
        )
        self._votes = Gauge(
            "tocsin_learning_votes",
            "Votes on the topic, by opinion",
            ("opinion",),
            registry=registry,
        )
        self._newest_label = Gauge(
            "tocsin_learning_newest_label_seconds",
            "Unix time at which the newest label was taken in",
            registry=registry,
        )
        self._left_out = Gauge(
            "tocsin_learning_left_out",
            "Records of both topics that are no label and no vote",
            ("topic",),
            registry=registry,
        )
        self._newest_s = 0.0
        self._ends: dict[tuple[str, int], int] = {}
        panel = Gauge(
            "tocsin_learning_panel",
            "Users who voted, and objects that their lists are made of",
            ("what",),
            registry=registry,
        )
        panel.labels("users").set_function(users)
        panel.labels("objects").set_function(objects)

    def label(self, record: Record, label: Label) -> None:
        """A label was read."""
        if self._is_first(record):
            self._labels.labels(label.source).inc()
            self._newest_s = max(self._newest_s, label.taken_ms / 1000.0)
            self._newest_label.set(self._newest_s)

    def vote(self, record: Record, vote: Vote) -> None:
        """A vote was read."""
        if self._is_first(record):
            self._votes.labels(vote.opinion).inc()

    def left_out(self, record: Record) -> None:
        """A record was not what its topic holds."""
        if self._is_first(record):
            self._left_out.labels(record.topic).inc()

    def _is_first(self, record: Record) -> bool:
        """Whether it was not counted before: after a fault a topic is read from its start again."""
        place = (record.topic, record.partition)
        if record.offset <= self._ends.get(place, -1):
            return False
        self._ends[place] = record.offset
        return True
