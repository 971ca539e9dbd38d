"""What a run's topics hold afterwards: alerts as tables, letters counted; and their end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from services.river.reprocess.packets import Origin
from shared.errors import UpstreamUnavailableError
from shared.kafka.connection import librdkafka_connection
from shared.kafka.envelopes import read_envelope
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings

_PATIENCE_S = 30.0


def values_of(settings: ServiceSettings, topic: str) -> Iterator[bytes]:
    """Every message of a topic that nobody writes to any more."""
    consumer = Consumer(
        {
            **librdkafka_connection(settings),
            "group.id": f"{topic}.reader",
            "enable.auto.commit": False,
            "log_level": 3,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=_PATIENCE_S).topics[topic].partitions
        left = {}
        for partition in partitions:
            place = TopicPartition(topic, partition)
            begin, end = consumer.get_watermark_offsets(place, timeout=_PATIENCE_S)
            if end > begin:
                left[partition] = end
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in left])
        heard_at = time.monotonic()
        while left:
            messages = consumer.consume(200, timeout=0.5)
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _PATIENCE_S:
                raise UpstreamUnavailableError(f"Kafka has gone quiet while reading {topic}")
            for message in messages:
                if message.error() is not None:
                    raise UpstreamUnavailableError(f"reading {topic}: {message.error()}")
                yield message.value() or b""
                if (message.offset() or 0) + 1 >= left.get(message.partition() or 0, 0):
                    left.pop(message.partition() or 0, None)
    except KafkaException as error:
        raise UpstreamUnavailableError(f"reading {topic}: {error}") from error
    finally:
        consumer.close()


def alerts_of(
    settings: ServiceSettings, topic: str, origins: Mapping[str, Origin]
) -> Iterator[pa.Table]:
    """The run's alerts, each with the origin that its packet has in the archive."""
    for value in values_of(settings, topic):
        table = pa.Table.from_batches([read_envelope(value).record_batch])
        mine = [origins[name] for name in table.column("alert_id").to_pylist()]
        columns = {
            "origin_topic": [origin.topic for origin in mine],
            "origin_partition": [origin.partition for origin in mine],
            "origin_offset": [origin.offset for origin in mine],
        }
        for name, values in columns.items():
            place = table.schema.get_field_index(name)
            field = table.schema.field(place)
            table = table.set_column(place, field, pa.array(values, field.type))
        yield table.replace_schema_metadata(None)


def letters_of(settings: ServiceSettings, topic: str) -> Counter[str]:
    """Dead letters by stage and reason."""
    letters = (DeadLetter.from_json(value) for value in values_of(settings, topic))
    return Counter(f"{letter.stage}: {letter.reason}" for letter in letters)


def delete_topics(settings: ServiceSettings, prefix: str) -> None:
    """Delete every topic and consumer group of a run: those that bear its prefix."""
    admin = AdminClient({**librdkafka_connection(settings), "log_level": 3})
    names = [t for t in admin.list_topics(timeout=_PATIENCE_S).topics if t.startswith(prefix)]
    groups = admin.list_consumer_groups(request_timeout=_PATIENCE_S).result()
    mine = [group.group_id for group in groups.valid if group.group_id.startswith(prefix)]
    pending = list(admin.delete_topics(names).values()) if names else []
    pending += list(admin.delete_consumer_groups(mine).values()) if mine else []
    for one in pending:
        one.exception(_PATIENCE_S)
