"""What a mesh stands on: one broker, three, three hosts, a small disk, planted bugs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from shared.local.database_server import LocalDatabase
from tests.faults import disk, namespaces
from tests.faults.bugs import PlantedMesh
from tests.faults.cluster import BROKERS, Cluster, ClusterMesh
from tests.faults.disk import DiskMesh, SmallDisk
from tests.faults.namespaces import Hosts, SpreadCluster
from tests.system.mesh import RunningMesh, free_ports

Settings = Mapping[str, object]
Ground = Callable[[Path, Settings], AbstractContextManager[RunningMesh]]


@contextmanager
def one_broker(folder: Path, settings: Settings) -> Iterator[RunningMesh]:
    """Broker and database of its own, as ``tocsin up`` starts them."""
    with _running(RunningMesh(folder / "mesh", **settings)) as mesh:
        yield mesh


@contextmanager
def planted_bugs(folder: Path, settings: Settings) -> Iterator[RunningMesh]:
    """The same, with exceptions that can be switched on in every stage."""
    with _running(PlantedMesh(folder / "mesh", **settings)) as mesh:
        yield mesh


@contextmanager
def broker_on_small_disk(folder: Path, settings: Settings) -> Iterator[RunningMesh]:
    """The broker's data on a small disk, everything else elsewhere."""
    mesh = DiskMesh(folder / "mesh", **settings)
    mesh.disk = SmallDisk(folder / "disk")
    mesh.disk.mount()
    try:
        (mesh.folder / "kafka").mkdir()
        (mesh.folder / "kafka" / "data").symlink_to(mesh.disk.folder)
        with _running(mesh):
            yield mesh
    finally:
        mesh.disk.unmount()


@contextmanager
def all_on_small_disk(folder: Path, settings: Settings) -> Iterator[RunningMesh]:
    """Broker, database, packets, logs and state on one small disk."""
    small = SmallDisk(folder / "disk")
    small.mount()
    try:
        mesh = DiskMesh(small.folder / "mesh", **settings)
        mesh.disk = small
        with _running(mesh):
            yield mesh
    finally:
        small.unmount()


@contextmanager
def three_brokers(folder: Path, settings: Settings) -> Iterator[RunningMesh]:
    """Three brokers on this host."""
    base = free_ports()
    with _on_cluster(folder, Cluster(folder, base), base + 6, settings) as mesh:
        yield mesh


@contextmanager
def three_hosts(folder: Path, settings: Settings) -> Iterator[RunningMesh]:
    """Three brokers on hosts of their own: network namespaces."""
    hosts = Hosts()
    try:
        hosts.make()
        cluster = SpreadCluster(folder, hosts)
        with _on_cluster(folder, cluster, free_ports() + 6, settings) as mesh:
            yield mesh
    finally:
        hosts.remove()


@contextmanager
def _on_cluster(
    folder: Path, cluster: Cluster, database_port: int, settings: Settings
) -> Iterator[RunningMesh]:
    database = LocalDatabase(folder / "database", database_port, folder / "database.log")
    try:
        database.start()
        cluster.start()
        servers = {
            "external": True, "kafka_bootstrap_servers": cluster.bootstrap_servers,
            "database_uri": database.uri, "replication": len(BROKERS),
        }  # fmt: skip
        mesh = ClusterMesh(folder / "mesh", **servers, **settings)
        mesh.cluster = cluster
        with _running(mesh):
            yield mesh
    finally:
        cluster.stop()
        database.stop()


@contextmanager
def _running(mesh: RunningMesh) -> Iterator[RunningMesh]:
    try:
        mesh.start()
        yield mesh
    finally:
        mesh.down()


GROUNDS: Mapping[str, Ground] = {
    "one-broker": one_broker,
    "planted-bugs": planted_bugs,
    "broker-on-small-disk": broker_on_small_disk,
    "all-on-small-disk": all_on_small_disk,
    "three-brokers": three_brokers,
    "three-hosts": three_hosts,
}


def lacking(ground: str) -> str | None:
    """Why a mesh cannot stand on ``ground`` on this machine, in words; None if it can."""
    if ground == "three-hosts":
        return namespaces.lacking()
    return disk.lacking() if ground.endswith("small-disk") else None
