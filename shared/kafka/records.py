"""What passes between Kafka and a service's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.alert_batch import AlertBatch
from shared.kafka.topics import Topic


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka message with its place."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes


Packet = Record
"""A survey's packet, as it is on the survey's topic."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Alerts of one message of the river, with the message's place."""

    record: Record
    batch: AlertBatch


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be sent; ``partition`` None lets the key decide."""

    value: bytes
    key: bytes | None = None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedAlert:
    """An alert that a stage sets aside: its row in the incoming batch, and why."""

    row: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage of the river made of one batch.

    ``records`` are sent, and acknowledged by Kafka, before the batch goes on.
    """

    batch: AlertBatch
    records: Sequence[tuple[Topic, Message]] = field(default_factory=tuple)
    rejected: Sequence[RejectedAlert] = field(default_factory=tuple)
