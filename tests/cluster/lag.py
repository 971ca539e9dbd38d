"""Topics of a real Kafka with records in them, and groups as far behind as a test wants."""

from __future__ import annotations

import math

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.k8s.kafka import PARTITIONS
from deploy.k8s.workers import Worker


class Lag:
    """What waits for each worker's group on the brokers ``servers``."""

    def __init__(self, servers: str) -> None:
        self._servers = servers

    def fill(self, topics: dict[str, int]) -> None:
        """Make topics that hold so many records each, spread over their partitions."""
        admin = AdminClient({"bootstrap.servers": self._servers})
        new = [NewTopic(topic, PARTITIONS, 1) for topic in topics]
        for future in admin.create_topics(new).values():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        producer = Producer({"bootstrap.servers": self._servers, "linger.ms": 50,
                             "queue.buffering.max.messages": 2_000_000})  # fmt: skip
        for topic, records in topics.items():
            for number in range(records):
                producer.produce(topic, b"x", partition=number % PARTITIONS)
        assert producer.flush(60) == 0

    def leave(self, worker: Worker, waiting: int) -> None:
        """Commit the worker's group so that ``waiting`` records of its first topic are unread."""
        consumer = Consumer({"bootstrap.servers": self._servers, "group.id": worker.group,
                             "enable.auto.commit": False})  # fmt: skip
        share = math.ceil(waiting / PARTITIONS)
        try:
            places = []
            for topic in worker.reads:
                for partition in range(PARTITIONS):
                    place = TopicPartition(topic, partition)
                    _, end = consumer.get_watermark_offsets(place, timeout=20)
                    left = share if topic == worker.reads[0] else 0
                    assert left <= end, f"{topic}/{partition} holds {end} records, not {left}"
                    places.append(TopicPartition(topic, partition, end - left))
            consumer.commit(offsets=places, asynchronous=False)
        finally:
            consumer.close()
