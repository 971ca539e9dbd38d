"""Leaders change although nobody fails: an operator moves partitions, and elects."""

from __future__ import annotations

import json
import time
from typing import Any

from confluent_kafka import ElectionType
from confluent_kafka.admin import AdminClient

from tests.faults.base import Fault, Scene
from tests.faults.brokers import cluster_of
from tests.faults.cluster import Cluster

_REASSIGN = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"
_BETWEEN_S = 5.0
_ANSWER_S = 30.0


class LeadersMove(Fault):
    """Every partition, of groups' offsets too, gets another leader, again and again."""

    ground = "three-brokers"
    name = "leaders-move"
    summary = "every partition gets another leader every few seconds; no broker fails"

    def strike(self, scene: Scene) -> None:
        cluster = cluster_of(scene)
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
        self._moved = 0
        end = time.monotonic() + scene.seconds
        while time.monotonic() < end:
            before = _leaders(admin)
            _rotate_replicas(cluster, admin)
            admin.elect_leaders(ElectionType.PREFERRED).result(_ANSWER_S)
            after = _leaders(admin)
            self._moved += sum(after[place] != leader for place, leader in before.items())
            time.sleep(_BETWEEN_S)

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        return [] if self._moved else ["no leader changed"]


def _leaders(admin: AdminClient) -> dict[tuple[str, int], int]:
    topics = admin.list_topics(timeout=_ANSWER_S).topics
    return {
        (name, number): partition.leader
        for name, topic in topics.items()
        for number, partition in topic.partitions.items()
    }


def _rotate_replicas(cluster: Cluster, admin: AdminClient) -> None:
    """The same replicas, the second of them first: it is the leader that ought to be."""
    wanted = [
        {"topic": name, "partition": number,
         "replicas": [*partition.replicas[1:], partition.replicas[0]]}
        for name, topic in admin.list_topics(timeout=_ANSWER_S).topics.items()
        for number, partition in topic.partitions.items()
    ]  # fmt: skip
    file = cluster.folder / "reassignment.json"
    file.write_text(json.dumps({"version": 1, "partitions": wanted}))
    cluster.tool(
        _REASSIGN, "--bootstrap-server", cluster.bootstrap_servers,
        "--reassignment-json-file", str(file), "--execute",
    )  # fmt: skip
