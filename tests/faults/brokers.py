"""One or two of three brokers fail: leaders change, writes wait for replicas, nothing is lost."""

from __future__ import annotations

import signal
import time

from tests.faults.base import Fault, Scene
from tests.faults.cluster import Cluster, ClusterMesh

_ALL = (1, 2, 3)


class BrokersDown(Fault):
    """kill -9 of some of three brokers, back after a while."""

    brokers = 3

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"three-brokers-{number}-down"
        self.summary = f"kill -9 of {number} of three brokers (3 replicas, 2 in step)"

    def strike(self, scene: Scene) -> None:
        cluster = _cluster(scene)
        nodes = scene.random.sample(_ALL, self.number)
        for node in nodes:
            cluster.signal(node, signal.SIGKILL)
        time.sleep(scene.seconds)
        for node in nodes:
            cluster.launch(node)


class BrokerFrozen(Fault):
    """SIGSTOP of a broker: the others elect leaders; it wakes and still believes it leads."""

    brokers = 3
    name = "three-brokers-frozen"
    summary = "SIGSTOP of one of three brokers, then SIGCONT: it wakes as a leader of the past"

    def strike(self, scene: Scene) -> None:
        cluster = _cluster(scene)
        node = scene.random.choice(_ALL)
        cluster.signal(node, signal.SIGSTOP)
        time.sleep(scene.seconds)
        cluster.signal(node, signal.SIGCONT)


def _cluster(scene: Scene) -> Cluster:
    mesh = scene.mesh
    assert isinstance(mesh, ClusterMesh)
    return mesh.cluster
