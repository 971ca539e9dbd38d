"""One or two of three brokers fail: leaders change, writes wait for replicas, nothing is lost."""

from __future__ import annotations

import signal
import time

from tests.faults.base import Fault, Scene
from tests.faults.cluster import BROKERS, Cluster, ClusterMesh


class BrokersDown(Fault):
    """kill -9 of some of three brokers, back after a while."""

    ground = "three-brokers"

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"three-brokers-{number}-down"
        self.summary = f"kill -9 of {number} of three brokers (3 replicas, 2 in step)"

    def strike(self, scene: Scene) -> None:
        cluster = cluster_of(scene)
        nodes = scene.random.sample(BROKERS, self.number)
        for node in nodes:
            cluster.signal(node, signal.SIGKILL)
        time.sleep(scene.seconds)
        for node in nodes:
            cluster.launch(node)


class BrokerFrozen(Fault):
    """SIGSTOP of a broker: the others elect leaders; it wakes and still believes it leads."""

    ground = "three-brokers"
    name = "three-brokers-frozen"
    summary = "SIGSTOP of one of three brokers, then SIGCONT: it wakes as a leader of the past"

    def strike(self, scene: Scene) -> None:
        cluster = cluster_of(scene)
        node = scene.random.choice(BROKERS)
        cluster.signal(node, signal.SIGSTOP)
        time.sleep(scene.seconds)
        cluster.signal(node, signal.SIGCONT)


def cluster_of(scene: Scene) -> Cluster:
    """The three brokers under the mesh."""
    mesh = scene.mesh
    assert isinstance(mesh, ClusterMesh)
    return mesh.cluster
