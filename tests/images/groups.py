"""Consumer groups as the broker sees them."""

from __future__ import annotations

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

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
