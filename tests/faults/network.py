"""The network between hosts fails: cut, cut on one side, slow. The brokers themselves are well."""

from __future__ import annotations

import time
from abc import abstractmethod

from tests.faults.base import Fault, Scene
from tests.faults.brokers import cluster_of
from tests.faults.cluster import BROKERS
from tests.faults.namespaces import Hosts, SpreadCluster

_SLOW_RATE = "6mbit"
"""A tenth of what a trial's packets take on their way through one broker's link."""


class NetworkFault(Fault):
    """Something happens to links for a while, and is undone."""

    ground = "three-hosts"

    def strike(self, scene: Scene) -> None:
        cluster = cluster_of(scene)
        assert isinstance(cluster, SpreadCluster)
        nodes = self.nodes(scene)
        for node in nodes:
            self.harm(cluster.hosts, node)
        time.sleep(scene.seconds)
        for node in nodes:
            self.undo(cluster.hosts, node)

    def nodes(self, scene: Scene) -> list[int]:
        """Whose links: one broker's, unless said otherwise."""
        return [scene.random.choice(BROKERS)]

    @abstractmethod
    def harm(self, hosts: Hosts, node: int) -> None:
        """Do it to one host's link."""

    @abstractmethod
    def undo(self, hosts: Hosts, node: int) -> None:
        """Undo it."""


class Cut(NetworkFault):
    """A host is off the network: neither its peers nor the services reach it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"network-cut-{number}"
        whom = "one of three brokers' hosts" if number == 1 else "all three brokers' hosts"
        self.summary = f"the link of {whom} is down for a while"

    def nodes(self, scene: Scene) -> list[int]:
        return scene.random.sample(BROKERS, self.number)

    def harm(self, hosts: Hosts, node: int) -> None:
        hosts.cut(node)

    def undo(self, hosts: Hosts, node: int) -> None:
        hosts.mend(node)


class Parted(NetworkFault):
    """A broker that its peers have given up, and that services still reach."""

    name = "network-parted"
    summary = "one broker sends nothing to its peers; services still reach it"

    def harm(self, hosts: Hosts, node: int) -> None:
        hosts.part(node)

    def undo(self, hosts: Hosts, node: int) -> None:
        hosts.join(node)


class Slow(NetworkFault):
    """Links that carry less than comes in."""

    name = "network-slow"
    summary = f"every broker's link carries {_SLOW_RATE} (tc tbf) for a while"

    def nodes(self, scene: Scene) -> list[int]:
        return list(BROKERS)

    def harm(self, hosts: Hosts, node: int) -> None:
        hosts.slow(node, _SLOW_RATE)

    def undo(self, hosts: Hosts, node: int) -> None:
        hosts.fast(node)
