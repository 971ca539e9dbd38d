"""Topics and offsets, asked of Kafka: making topics, where they end, how far a group is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.errors import UpstreamUnavailableError
from shared.kafka import patience
from shared.kafka.connection import aiokafka_connection
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.kafka.topics import Topic
from shared.settings import ServiceSettings

Offsets = dict[tuple[str, int], int]
"""Offset by topic and partition."""


def mesh_topics(settings: ServiceSettings) -> list[str]:
    """Full names of all the mesh's own topics, filters' topics apart."""
    return [topic.named(settings.topic_prefix) for topic in Topic]


def survey_topics(settings: ServiceSettings) -> list[str]:
    """Names of the survey topics that are not patterns."""
    return [t for _, t in settings.survey_topic_pairs() if not t.startswith("^")]


async def ensure_topics(
    settings: ServiceSettings, names: Iterable[str], retention_ms: Mapping[str, int] | None = None
) -> list[str]:
    """Create those of ``names`` (full) that do not exist; returns the names it made.

    ``retention_ms`` says of some how long they keep a message; others as Kafka is set.

    Raises
    ------
    UpstreamUnavailableError
        If Kafka does not answer, or refuses to make a topic.
    """
    compacted = {topic.named(settings.topic_prefix) for topic in Topic if topic.is_compacted}
    async with KafkaAdmin(settings) as admin:
        known = await admin.topics()
        wanted = [
            NewTopic(
                name,
                settings.partitions,
                settings.replication,
                topic_configs=_config((retention_ms or {}).get(name), name in compacted),
            )
            for name in dict.fromkeys(names)
            if name not in known
        ]
        if wanted:
            await admin.create(wanted)
        return [topic.name for topic in wanted]


def _config(retention_ms: int | None, is_compacted: bool) -> dict[str, str]:
    config = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
    if retention_ms is not None:
        config["retention.ms"] = str(retention_ms)
    if is_compacted:
        config["cleanup.policy"] = "compact"
    return config


class KafkaAdmin:
    """A short-lived connection for questions about topics and groups (async context manager)."""

    def __init__(self, settings: ServiceSettings) -> None:
        servers = settings.kafka_bootstrap_servers
        self._servers = servers
        self._connection = aiokafka_connection(settings)
        user = settings.kafka_username  # aiokafka tells a refusal to its log only
        self._or_refused = f", or it refuses the user {user!r} and its password" if user else ""
        self._admin = AIOKafkaAdminClient(
            **self._connection, request_timeout_ms=patience.ms(patience.ANSWER_S)
        )
        self._consumer: AIOKafkaConsumer | None = None

    async def __aenter__(self) -> KafkaAdmin:
        try:
            await self._admin.start()
        except (KafkaError, OSError) as error:
            await self._admin.close()
            raise UpstreamUnavailableError(
                f"no Kafka at {self._servers}{self._or_refused}: {error}"
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()
        await self._admin.close()

    async def topics(self) -> set[str]:
        """Names of all topics."""
        return set(await self._admin.list_topics())

    async def create(self, topics: Sequence[NewTopic]) -> None:
        """Create ``topics``; one that another process has just made is no error."""
        response = await self._admin.create_topics(list(topics))
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise UpstreamUnavailableError(f"Kafka did not make topic {name}: {error.__name__}")

    async def partitions(self, topics: Sequence[str]) -> list[tuple[str, int]]:
        """Every partition of those of ``topics`` that exist."""
        known = await self.topics()
        wanted = [topic for topic in topics if topic in known]
        described = await self._admin.describe_topics(wanted) if wanted else []
        return [(d["topic"], p["partition"]) for d in described for p in d["partitions"]]

    async def end_offsets(self, topics: Sequence[str]) -> Offsets:
        """The offset that the next message of each partition will have."""
        return await self._offsets(topics, at_end=True)

    async def begin_offsets(self, topics: Sequence[str]) -> Offsets:
        """The offset of the oldest message that each partition still holds."""
        return await self._offsets(topics, at_end=False)

    async def _offsets(self, topics: Sequence[str], *, at_end: bool) -> Offsets:
        partitions = await self.partitions(topics)
        if not partitions:
            return {}
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                **self._connection,
                request_timeout_ms=patience.ms(patience.ANSWER_S),
                metadata_max_age_ms=patience.ms(patience.METADATA_AGE_S),
            )
            await self._consumer.start()
        ask = self._consumer.end_offsets if at_end else self._consumer.beginning_offsets
        found = await ask([TopicPartition(*p) for p in partitions])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def committed(self, group: str) -> Offsets:
        """The next offset that each partition of ``group`` will read."""
        found = await self._admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): meta.offset for tp, meta in found.items()}
