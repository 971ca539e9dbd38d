"""A topic read from its end towards its beginning, as far as time allows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from shared.errors import UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.connection import librdkafka_connection
from shared.kafka.records import Record
from shared.settings import ServiceSettings

RECORDS_PER_CHUNK = 32
"""Of all partitions together: 16 MB of full envelopes."""


def chunks_from_end(
    settings: ServiceSettings, topic: str, floors: Mapping[int, int], seconds: float
) -> Iterator[list[Record]]:
    """The records of ``topic`` in chunks, the newest chunk first.

    Parameters
    ----------
    settings
        Where Kafka is.
    topic
        Full name; one that does not exist has no records.
    floors
        Offset by partition at which to stop; where none is named, the partition's beginning.
    seconds
        No further chunk is begun after so long.

    Raises
    ------
    UpstreamUnavailableError
        If Kafka does not answer.
    """
    began = time.monotonic()
    consumer = Consumer(_consumer_settings(settings))
    try:
        spans = _spans(consumer, topic, floors)
        each = max(RECORDS_PER_CHUNK // max(len(spans), 1), 1)
        while spans and time.monotonic() - began < seconds:
            chunk = {p: (max(first, stop - each), stop) for p, (first, stop) in spans.items()}
            yield _read(consumer, topic, chunk)
            spans = {
                p: (first, chunk[p][0]) for p, (first, _) in spans.items() if chunk[p][0] > first
            }
    except KafkaException as error:
        raise UpstreamUnavailableError(f"cannot read the end of {topic}: {error}") from error
    finally:
        consumer.close()


def _spans(consumer: Consumer, topic: str, floors: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """First offset and end of each partition that has records to read."""
    found = consumer.list_topics(topic, timeout=patience.ANSWER_S).topics[topic]
    if found.error is not None:
        if found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return {}
        raise KafkaException(found.error)
    spans = {}
    for partition in found.partitions:
        place = TopicPartition(topic, partition)
        low, high = consumer.get_watermark_offsets(place, timeout=patience.ANSWER_S)
        spans[partition] = (max(low, floors.get(partition, 0)), high)
    return {partition: (first, stop) for partition, (first, stop) in spans.items() if stop > first}


def _read(consumer: Consumer, topic: str, spans: Mapping[int, tuple[int, int]]) -> list[Record]:
    consumer.assign([TopicPartition(topic, p, first) for p, (first, _) in spans.items()])
    waiting = {p: stop - first for p, (first, stop) in spans.items()}
    records: list[Record] = []
    heard_at = time.monotonic()
    while any(waiting.values()):
        messages = consumer.consume(sum(waiting.values()), timeout=0.2)
        if messages:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > patience.ANSWER_S:
            raise UpstreamUnavailableError(f"nothing comes from {topic}")
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            record = _record(message)
            if record.offset < spans[record.partition][1]:
                records.append(record)
                waiting[record.partition] -= 1
    return records


def _record(message: Any) -> Record:
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        timestamp_ms=max(message.timestamp()[1], 0),
        key=message.key(),
        value=message.value() or b"",
    )


def _consumer_settings(settings: ServiceSettings) -> dict[str, Any]:
    return {
        **librdkafka_connection(settings),
        "group.id": f"{settings.topic_prefix}backwards",  # never joined, nothing is committed
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "check.crcs": False,
        # A chunk is fetched as a whole; what is fetched beyond its end is thrown away.
        "fetch.max.bytes": 16 * 1024 * 1024,
        "max.partition.fetch.bytes": 4 * 1024 * 1024,
        "queued.max.messages.kbytes": 16 * 1024,
        "fetch.wait.max.ms": 10,
        "socket.timeout.ms": patience.ms(patience.ANSWER_S),
        "log_level": 0,
    }
