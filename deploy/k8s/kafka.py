"""Kafka on the cluster, as resources of Strimzi 0.49 or later: brokers, topics, users' rights."""

from __future__ import annotations

from deploy.k8s.workers import PREFIX, SURVEY_TOPICS, Manifest
from shared.kafka.outbox import MAX_MESSAGE_BYTES
from shared.kafka.topics import Topic

_CLUSTER = {"strimzi.io/cluster": "tocsin"}
PARTITIONS = 12
DAY_MS = 86_400_000
KEEPS = {
    Topic.NOTICES: 30 * DAY_MS, Topic.ASSOCIATIONS: 30 * DAY_MS, Topic.DEAD_LETTERS: 30 * DAY_MS,
    Topic.LABELS: -1, Topic.VOTES: -1, Topic.TARGETS: 30 * DAY_MS,
}  # fmt: skip
"""How long topics are kept, ms, where that is not the river's three days; -1 is for ever."""
Rule = tuple[str, str, str, tuple[str, ...]]
"""Kind of resource, name, pattern (literal or prefix), operations."""
_READ, _WRITE = ("Read", "Describe"), ("Write", "Describe", "Create")
MAY: dict[str, tuple[Rule, ...]] = {
    "ingest": (
        *((("topic", t, "literal", _READ)) for t in SURVEY_TOPICS),
        ("topic", f"{PREFIX}alerts", "literal", (*_WRITE, "Read")),
    ),
    "xmatch": (
        ("topic", f"{PREFIX}alerts", "literal", _READ),
        ("topic", f"{PREFIX}alerts.matched", "literal", _WRITE),
        ("topic", f"{PREFIX}updates", "literal", _WRITE),
    ),
    "classify": (
        ("topic", f"{PREFIX}alerts.matched", "literal", _READ),
        ("topic", f"{PREFIX}alerts.classified", "literal", _WRITE),
    ),
    "mma": (
        ("topic", f"{PREFIX}alerts.classified", "literal", _READ),
        ("topic", f"{PREFIX}notices", "literal", _READ),
        ("topic", f"{PREFIX}alerts.correlated", "literal", _WRITE),
        *(
            ("topic", f"{PREFIX}{name}", "literal", (*_WRITE, "Read"))
            for name in ("associations", "coincidences", "events", "heartbeat")
        ),
    ),
    "receive": (("topic", f"{PREFIX}notices", "literal", (*_WRITE, "Read")),),
    "distribute": (
        ("topic", f"{PREFIX}alerts.correlated", "literal", _READ),
        ("topic", f"{PREFIX}associations", "literal", _READ),
        ("topic", f"{PREFIX}out.", "prefix", (*_WRITE, "Read")),
        ("topic", f"{PREFIX}voevents", "literal", (*_WRITE, "Read")),
        ("topic", Topic.GCN_NOTICES.named(PREFIX), "literal", (*_WRITE, "Read")),
    ),
    "courier": (("topic", PREFIX, "prefix", _READ),),
    "vtp": (
        ("topic", f"{PREFIX}voevents", "prefix", _READ),
        ("topic", f"{PREFIX}voevents.received", "literal", _WRITE),
    ),
    "archive": (
        *((("topic", t, "literal", _READ)) for t in SURVEY_TOPICS),
        ("topic", PREFIX, "prefix", _READ),
    ),
    "learning": (
        ("topic", PREFIX, "prefix", _READ),
        ("topic", f"{PREFIX}targets", "literal", _WRITE),
    ),
    "portal": (
        ("topic", PREFIX, "prefix", _READ),
        ("topic", f"{PREFIX}labels", "literal", _WRITE),
        ("topic", f"{PREFIX}votes", "literal", _WRITE),
    ),
    "keda": (
        ("topic", "*", "literal", ("Describe",)),
        ("group", PREFIX, "prefix", ("Describe",)),
    ),
}
"""What each user may do; everything else is refused (``authorization: simple``)."""


def cluster() -> list[Manifest]:
    """Three brokers; an acknowledged record is on two of them."""
    pool = {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaNodePool",
        "metadata": {"name": "brokers", "labels": _CLUSTER},
        "spec": {
            "replicas": 3,
            "roles": ["controller", "broker"],
            "storage": {
                "type": "jbod",
                "volumes": [
                    {
                        "id": 0,
                        "type": "persistent-claim",
                        "size": "500Gi",
                        "deleteClaim": False,
                        "kraftMetadata": "shared",
                    }
                ],
            },
            "resources": {
                "requests": {"cpu": "2", "memory": "6Gi"},
                "limits": {"cpu": "4", "memory": "6Gi"},
            },
        },
    }
    listener = {
        "name": "tls",
        "port": 9093,
        "type": "internal",
        "tls": True,
        "authentication": {"type": "scram-sha-512"},
    }
    kafka = {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "Kafka",
        "metadata": {"name": "tocsin"},
        "spec": {
            "kafka": {
                "listeners": [listener],
                "authorization": {"type": "simple"},
                "config": {
                    "default.replication.factor": 3,
                    "min.insync.replicas": 2,
                    "offsets.topic.replication.factor": 3,
                    "transaction.state.log.replication.factor": 3,
                    "transaction.state.log.min.isr": 2,
                    "auto.create.topics.enable": False,
                    "message.max.bytes": MAX_MESSAGE_BYTES,
                    "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
                    # A worker that starts joins at once; workers' sessions are 6 s.
                    "group.initial.rebalance.delay.ms": 0,
                },
                "metricsConfig": {"type": "strimziMetricsReporter"},
            },
            "entityOperator": {"topicOperator": {}, "userOperator": {}},
        },
    }
    return [pool, kafka]


def topics() -> list[Manifest]:
    """The mesh's own topics and the surveys'; filters' topics are made by distribute."""
    own = [
        _topic(topic.named(PREFIX), KEEPS.get(topic, 3 * DAY_MS), is_compacted=topic.is_compacted)
        for topic in Topic
    ]
    return [*own, *(_topic(name, DAY_MS) for name in SURVEY_TOPICS)]


def _topic(name: str, retention_ms: int, *, is_compacted: bool = False) -> Manifest:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": name.replace("_", "-"), "labels": _CLUSTER},
        "spec": {
            "topicName": name,
            "partitions": PARTITIONS,
            "replicas": 3,
            "config": {
                **({"cleanup.policy": "compact"} if is_compacted else {}),
                "retention.ms": retention_ms,
                "max.message.bytes": MAX_MESSAGE_BYTES,
                "min.insync.replicas": 2,
            },
        },
    }


def users() -> list[Manifest]:
    """One user per worker, with the rights of ``MAY``."""
    return [_user(name, rules) for name, rules in MAY.items()]


def _user(name: str, rules: tuple[Rule, ...]) -> Manifest:
    own: tuple[Rule, ...] = rules
    if name != "keda":
        own = (
            *rules,
            ("topic", f"{PREFIX}dead-letters", "literal", _WRITE),
            ("group", PREFIX, "prefix", _READ),
        )
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": _CLUSTER},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    {
                        "resource": {"type": kind, "name": resource, "patternType": pattern},
                        "operations": list(operations),
                    }
                    for kind, resource, pattern, operations in own
                ],
            },
        },
    }
