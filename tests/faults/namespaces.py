"""Three hosts on one machine: network namespaces on a bridge, each on a link of its own.

The brokers live in them, one each; services, database and whoever sends packets stay outside,
on the bridge. A link is cut by taking it down: nothing is refused, packets are just gone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.faults.cluster import BROKERS, Cluster
from tests.system.mesh import MeshError

_PORT, _CONTROLLER_PORT = 19092, 19093
_BURST = "64kb"
_QUEUE = "400ms"
"""What waits for longer in a slow link's queue is dropped, as in a router."""


class Hosts:
    """The three namespaces and their links."""

    def __init__(self) -> None:
        tag = os.getpid() % 10_000
        self._bridge = f"tocsin{tag}"
        self._names = {node: f"tocsin{tag}-{node}" for node in BROKERS}
        self._network = f"10.213.{tag % 256}"

    def address(self, node: int) -> str:
        """IPv4 address of a host."""
        return f"{self._network}.{node}"

    def inside(self, node: int, command: list[str]) -> list[str]:
        """``command``, to be carried out on a host."""
        return ["ip", "netns", "exec", self._names[node], *command]

    def make(self) -> None:
        """Make bridge, namespaces and links."""
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{self._network}.254/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for node, name in self._names.items():
            _ip("netns", "add", name)
            _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", name, "master", self._bridge, "up")
            _ip("-n", name, "address", "add", f"{self.address(node)}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _ip("-n", name, "link", "set", link, "up")

    def cut(self, node: int) -> None:
        """Take a host's link down."""
        _ip("link", "set", self._names[node], "down")

    def mend(self, node: int) -> None:
        """Take it up again."""
        _ip("link", "set", self._names[node], "up")

    def part(self, node: int) -> None:
        """Let a host send nothing to the two others; those outside it still reaches."""
        for peer in self._peers(node):
            _ip("-n", self._names[node], "route", "add", "blackhole", f"{self.address(peer)}/32")

    def join(self, node: int) -> None:
        """Undo `part`."""
        for peer in self._peers(node):
            _ip("-n", self._names[node], "route", "del", "blackhole", f"{self.address(peer)}/32")

    def slow(self, node: int, rate: str) -> None:
        """Let a host's link carry no more than ``rate`` (tc's way: ``8mbit``), both ways."""
        for namespace, link in (([], self._names[node]), (["-n", self._names[node]], "eth0")):
            _run("tc", *namespace, "qdisc", "replace", "dev", link, "root", "tbf",
                 "rate", rate, "burst", _BURST, "latency", _QUEUE)  # fmt: skip

    def fast(self, node: int) -> None:
        """Undo `slow`."""
        for namespace, link in (([], self._names[node]), (["-n", self._names[node]], "eth0")):
            _run("tc", *namespace, "qdisc", "del", "dev", link, "root")

    def remove(self) -> None:
        """Remove whatever of it there is."""
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", self._bridge], capture_output=True, check=False)

    def _peers(self, node: int) -> list[int]:
        return [peer for peer in BROKERS if peer != node]


class SpreadCluster(Cluster):
    """Three brokers on three hosts."""

    def __init__(self, folder: Path, hosts: Hosts) -> None:
        super().__init__(folder, _PORT)
        self.hosts = hosts

    def host(self, node: int) -> str:
        """Address of a broker's host."""
        return self.hosts.address(node)

    def ports(self, node: int) -> tuple[int, int]:
        """The same on every host."""
        return _PORT, _CONTROLLER_PORT

    def on_host(self, node: int, command: list[str]) -> list[str]:
        """``command``, in the broker's namespace."""
        return self.hosts.inside(node, command)


def lacking() -> str | None:
    """Why there can be no hosts here, in words; None if there can."""
    if os.geteuid() != 0:
        return "network namespaces want root"
    missing = [tool for tool in ("ip", "tc") if shutil.which(tool) is None]
    if missing:
        return f"network namespaces want {' and '.join(missing)} (iproute2)"
    hosts = Hosts()
    try:
        hosts.make()
    except MeshError as error:
        return f"no network namespaces here: {error}"
    finally:
        hosts.remove()
    return None


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise MeshError(f"{' '.join(command)}: {done.stderr.strip()}")
