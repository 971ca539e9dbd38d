"""Three brokers with three replicas of everything, and a mesh that stands on them."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.local.kafka_distribution import DEPLOYMENT, find_kafka
from shared.local.server_process import LOOPBACK, ServerProcess
from tests.system.mesh import MeshError, RunningMesh

BROKERS = (1, 2, 3)
_JAVA_OPTIONS = ("-Xms128m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_TOOL_OPTIONS = ("-Xmx128m", "-XX:TieredStopAtLevel=1")
_START_PATIENCE_S = 120.0


class ClusterMesh(RunningMesh):
    """A mesh on external servers: three brokers that a fault can reach one by one."""

    cluster: Cluster


class Cluster:
    """Three brokers, each a controller too; writes need two replicas in step.

    Parameters
    ----------
    folder
        Holds their data and logs.
    base_port
        First of six free ports.
    """

    def __init__(self, folder: Path, base_port: int) -> None:
        self.folder = folder
        self._base_port = base_port
        self._processes: dict[int, ServerProcess] = {}

    # Where a broker is. On one host here; see namespaces.py for a host each.

    def host(self, node: int) -> str:
        """Address of a broker's host."""
        return LOOPBACK

    def ports(self, node: int) -> tuple[int, int]:
        """Ports of a broker and of its controller."""
        return self._base_port + node - 1, self._base_port + 2 + node

    def on_host(self, node: int, command: list[str]) -> list[str]:
        """``command``, to be carried out on a broker's host."""
        return command

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` of all three."""
        return ",".join(f"{self.host(node)}:{self.ports(node)[0]}" for node in BROKERS)

    def start(self) -> None:
        """Format and start all; back when all have registered."""
        cluster_id = self.tool("kafka.tools.StorageTool", "random-uuid").split()[-1]
        for node in BROKERS:
            properties = self.folder / f"broker-{node}.properties"
            properties.write_text(self._properties(node))
            self.tool("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties))
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
        command = find_kafka().command("kafka.Kafka", properties, java_options=_JAVA_OPTIONS)
        self._processes[node].start(self.on_host(node, command))

    def wait_for_all(self) -> None:
        """Wait until the cluster has all its brokers."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        deadline = time.monotonic() + _START_PATIENCE_S
        while True:
            try:
                if len(admin.list_topics(timeout=2.0).brokers) == len(BROKERS):
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

    def tool(self, main_class: str, *arguments: str) -> str:
        """Carry out one of Kafka's own tools; what it printed."""
        command = find_kafka().command(main_class, *arguments, java_options=_TOOL_OPTIONS)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise MeshError(f"{main_class} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            process.stop(patience_s=5.0)

    def _properties(self, node: int) -> str:
        """The one broker's properties, changed where three differ from one."""
        port, controller = self.ports(node)
        voters = ",".join(f"{n}@{self.host(n)}:{self.ports(n)[1]}" for n in BROKERS)
        words = {
            "port": port, "controller_port": controller, "retention_hours": 72,
            "data_dir": (self.folder / f"data-{node}").resolve(), "retention_bytes": 2**32,
        }  # fmt: skip
        text = (DEPLOYMENT / "server.properties").read_text().replace(LOOPBACK, self.host(node))
        for word, value in words.items():
            text = text.replace(f"${{{word}}}", str(value))
        # Among peers Kafka's own patience: 4 s would take a busy broker for a dead one.
        text = re.sub(r"^broker\.(session|heartbeat)\..*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^node\.id=.*$", f"node.id={node}", text, flags=re.MULTILINE)
        text = re.sub(r"^(controller\.quorum\.voters)=.*$", rf"\1={voters}", text, flags=re.M)
        text = re.sub(r"^(.*replication\.factor)=1$", r"\1=3", text, flags=re.MULTILINE)
        return re.sub(r"^(.*min\.(?:insync\.replicas|isr))=1$", r"\1=2", text, flags=re.MULTILINE)
