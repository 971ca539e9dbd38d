"""Consumer groups as the broker sees them."""

from __future__ import annotations

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from shared.kafka.envelopes import read_envelope
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings


def members(settings: ServiceSettings) -> int:
    """Members of all groups of this test's mesh."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    named = [group.group_id for group in admin.list_consumer_groups().result().valid or []]
    ours = [name for name in named if name.startswith(settings.topic_prefix)]
    if not ours:
        return 0
    described = admin.describe_consumer_groups(ours).values()
    return sum(len(group.result().members) for group in described)


def read_so_far(settings: ServiceSettings, service: str) -> int:
    """Records that a service's group has acknowledged, of all its topics together."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    asked = ConsumerGroupTopicPartitions(f"{settings.topic_prefix}{service}")
    (future,) = admin.list_consumer_group_offsets([asked]).values()
    return sum(max(place.offset, 0) for place in future.result().topic_partitions or [])


def alerts_in(settings: ServiceSettings, topic: Topic) -> list[str]:
    """Identities of all alerts in a topic of envelopes, repeats too."""
    consumer = Consumer({"bootstrap.servers": settings.kafka_bootstrap_servers,
                         "group.id": "reader", "enable.auto.commit": False})  # fmt: skip
    name = topic.named(settings.topic_prefix)
    found: list[str] = []
    try:
        for partition in consumer.list_topics(name, timeout=20).topics[name].partitions:
            place = TopicPartition(name, partition, 0)
            _, end = consumer.get_watermark_offsets(place, timeout=20)
            consumer.assign([place])
            at = 0
            while at < end:
                (record,) = consumer.consume(1, timeout=20)
                offset, value = record.offset(), record.value()
                assert offset is not None
                assert value is not None
                found += read_envelope(value).strings("alert_id")
                at = offset + 1
    finally:
        consumer.close()
    return found
