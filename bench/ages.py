"""How old alerts were, from the survey's timestamp: at every topic of the river and going out.

Everything is read from Kafka afterwards. A message's time is the one its producer wrote, a few
milliseconds before Kafka acknowledged it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.console.account.reading import TopicReader
from shared.kafka.envelopes import read_envelope
from shared.kafka.topics import Topic, out_topic
from shared.settings import ServiceSettings

RIVER = (Topic.ALERTS, Topic.MATCHED, Topic.CLASSIFIED, Topic.CORRELATED)
OUT = "out"
"""All topics of filters together: an alert counts once for each filter that wants it."""
PERCENTILES = (50, 95, 99)
_BINS = 120
Floats = npt.NDArray[np.float64]
Emitted = dict[str, float]
"""Survey's timestamp, Unix seconds, by an alert's origin: topic/partition/offset."""


@dataclass(frozen=True)
class Ages:
    """Alerts that reached one place, in no order."""

    emitted_s: Floats
    """Shape (n,): the survey's timestamps, Unix seconds."""
    age_s: Floats
    """Shape (n,)."""
    messages: int
    """Kafka messages they came in."""

    def percentiles(self) -> dict[str, float]:
        """p50, p95 and p99, seconds; empty if nothing came."""
        if not len(self.age_s):
            return {}
        found = np.percentile(self.age_s, PERCENTILES)
        return {f"p{q}": float(value) for q, value in zip(PERCENTILES, found, strict=True)}

    def over_time(self, began_s: float) -> dict[str, list[float]]:
        """The same for each of up to 120 equal spans; ``t_s`` is the middle of each."""
        if not len(self.age_s):
            return {}
        since = self.emitted_s - began_s
        width = max(1.0, float(since.max()) / _BINS)
        span = np.minimum(since // width, _BINS - 1).astype(int)
        rows = [(k, self.age_s[span == k]) for k in np.unique(span)]
        return {"t_s": [float((k + 0.5) * width) for k, _ in rows]} | {
            f"p{q}": [float(np.percentile(ages, q)) for _, ages in rows] for q in PERCENTILES
        }


def read_ages(settings: ServiceSettings, since_s: float) -> dict[str, Ages]:
    """Ages by topic of all alerts that the survey sent at ``since_s`` (Unix) or later.

    Topics that hold nothing are left out, as those between stages that share a process.
    """
    found = {}
    emitted: Emitted = {}
    with TopicReader(settings) as reader:
        for topic in RIVER:
            keep = emitted if topic is Topic.CORRELATED else None
            ages = _of_envelopes(reader, topic.named(settings.topic_prefix), since_s, keep)
            if ages.messages:
                found[topic.value] = ages
        found[OUT] = _of_deliveries(reader, out_topic("", settings.topic_prefix), emitted)
    return found


def _of_envelopes(
    reader: TopicReader, topic: str, since_s: float, emitted_by_origin: Emitted | None
) -> Ages:
    emitted: list[Floats] = [np.zeros(0)]
    ages: list[Floats] = [np.zeros(0)]
    messages = 0
    for record in reader.records(reader.extents(topic)):
        batch = read_envelope(record.value)
        sent = batch.integers("emitted_ms") / 1000.0
        is_later = sent >= since_s
        if not is_later.any():
            continue
        messages += 1
        emitted.append(sent[is_later])
        ages.append(record.timestamp_ms / 1000.0 - sent[is_later])
        if emitted_by_origin is not None:
            origins = _origins(batch)
            emitted_by_origin.update(
                (origin, at) for origin, at in zip(origins, sent.tolist(), strict=True)
                if at >= since_s
            )  # fmt: skip
    return Ages(np.concatenate(emitted), np.concatenate(ages), messages)


def _origins(batch: Any) -> Iterator[str]:
    topics = batch.strings("origin_topic")
    places = zip(batch.integers("origin_partition"), batch.integers("origin_offset"), strict=True)
    for topic, (partition, offset) in zip(topics, places, strict=True):
        yield f"{topic}/{partition}/{offset}"


def _of_deliveries(reader: TopicReader, beginning: str, emitted: Emitted) -> Ages:
    """Messages on the filters' topics: their header names the packet they are about."""
    found = []
    for topic in [name for name in reader.topics() if name.startswith(beginning)]:
        for record, headers in reader.records_with_headers(reader.extents(topic)):
            at = emitted.get(headers.get("delivery_id", b"").decode())
            if at is not None:
                found.append((at, record.timestamp_ms / 1000.0 - at))
    table = np.array(found).reshape(-1, 2)
    return Ages(table[:, 0], table[:, 1], len(found))
