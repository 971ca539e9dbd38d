"""The mesh that a fault wants: on one broker, or on three with three replicas of everything."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.local.database_server import LocalDatabase
from shared.local.kafka_distribution import DEPLOYMENT, find_kafka
from shared.local.server_process import LOOPBACK, ServerProcess
from tests.system.mesh import MeshError, RunningMesh, free_ports

_BROKERS = (1, 2, 3)
_JAVA_OPTIONS = ("-Xms128m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_START_PATIENCE_S = 120.0


@contextmanager
def mesh_for(folder: Path, brokers: int, settings: Mapping[str, object]) -> Iterator[RunningMesh]:
    """A running mesh, stopped and wiped at the end."""
    if brokers == 1:
        with _running(RunningMesh(folder / "mesh", **settings)) as mesh:
            yield mesh
        return
    base = free_ports()
    database = LocalDatabase(folder / "database", base + 6, folder / "database.log")
    cluster = Cluster(folder, base)
    try:
        database.start()
        cluster.start()
        servers = {
            "external": True, "kafka_bootstrap_servers": cluster.bootstrap_servers,
            "database_uri": database.uri, "replication": len(_BROKERS),
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


class ClusterMesh(RunningMesh):
    """A mesh on external servers: three brokers that a fault can reach one by one."""

    cluster: Cluster


@dataclass(frozen=True)
class Cluster:
    """Three brokers, each a controller too; writes need two replicas in step."""

    folder: Path
    base_port: int
    _processes: dict[int, ServerProcess] = field(default_factory=dict)

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` of all three."""
        return ",".join(f"{LOOPBACK}:{self.base_port + node - 1}" for node in _BROKERS)

    def start(self) -> None:
        """Format and start all; back when all have registered."""
        tool = find_kafka().command("kafka.tools.StorageTool", java_options=("-Xmx128m",))
        cluster_id = _output([*tool, "random-uuid"]).split()[-1]
        for node in _BROKERS:
            properties = self.folder / f"broker-{node}.properties"
            properties.write_text(self._properties(node))
            _output([*tool, "format", "-t", cluster_id, "-c", str(properties)])
            self._processes[node] = ServerProcess(
                f"broker {node}",
                pid_file=self.folder / f"broker-{node}.json",
                log_file=self.folder / f"broker-{node}.log",
            )
            self.launch(node)
        self.wait_for_all()

    def launch(self, node: int) -> None:
        """Start one broker without waiting for it."""
        properties = str(self.folder / f"broker-{node}.properties")
        self._processes[node].start(
            find_kafka().command("kafka.Kafka", properties, java_options=_JAVA_OPTIONS)
        )

    def wait_for_all(self) -> None:
        """Wait until the cluster has all its brokers."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        deadline = time.monotonic() + _START_PATIENCE_S
        while True:
            try:
                if len(admin.list_topics(timeout=2.0).brokers) == len(_BROKERS):
                    return
            except KafkaException:
                pass
            if time.monotonic() > deadline:
                raise MeshError("the three brokers do not come together")
            time.sleep(0.2)

    def signal(self, node: int, with_signal: signal.Signals) -> None:
        """Send a signal to one broker."""
        mark = self._processes[node].mark()
        process = mark.process() if mark else None
        if process is None:
            raise MeshError(f"broker {node} does not run")
        process.send_signal(with_signal)
        if with_signal == signal.SIGKILL:
            process.wait(10.0)

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            process.stop(patience_s=5.0)

    def _properties(self, node: int) -> str:
        """The one broker's properties, changed where three differ from one."""
        port, controller = self.base_port + node - 1, self.base_port + 2 + node
        voters = ",".join(f"{n}@{LOOPBACK}:{self.base_port + 2 + n}" for n in _BROKERS)
        words = {
            "port": port, "controller_port": controller, "retention_hours": 72,
            "data_dir": (self.folder / f"data-{node}").resolve(), "retention_bytes": 2**32,
        }  # fmt: skip
        text = (DEPLOYMENT / "server.properties").read_text()
        for word, value in words.items():
            text = text.replace(f"${{{word}}}", str(value))
        text = re.sub(r"^node\.id=.*$", f"node.id={node}", text, flags=re.MULTILINE)
        text = re.sub(r"^(controller\.quorum\.voters)=.*$", rf"\1={voters}", text, flags=re.M)
        text = re.sub(r"^(.*replication\.factor)=1$", r"\1=3", text, flags=re.MULTILINE)
        return re.sub(r"^(.*min\.(?:insync\.replicas|isr))=1$", r"\1=2", text, flags=re.MULTILINE)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise MeshError(f"{' '.join(command[-4:])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
