"""One Apache Kafka broker (KRaft) on loopback."""

from __future__ import annotations

import string
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.local.kafka_distribution import DEPLOYMENT, KafkaDistribution
from shared.local.server_process import (
    LOOPBACK,
    LocalServerError,
    ServerProcess,
    is_listening,
    require_free_port,
)

_FORMAT_PATIENCE_S = 120


@dataclass(frozen=True)
class LocalKafka:
    """A broker with its data in ``directory``; start it again there and it has kept everything."""

    directory: Path
    distribution: KafkaDistribution
    port: int
    controller_port: int
    log_file: Path
    heap_mib: int = 512
    retention_hours: int = 72
    retention_mib: int = 4096
    """Per partition; the oldest segments of 64 MiB go first."""
    extra_properties: str = ""
    """More lines for server.properties; of a property that is there twice the last one holds."""
    java_options: tuple[str, ...] = field(
        default=(
            "-XX:+UseSerialGC",
            # Optimise only what runs hottest (four times Java's defaults): in the first minute
            # the compiler took a tenth of two cores; measured 246 instead of 303 CPU-us a packet.
            "-XX:Tier4InvocationThreshold=20000",
            "-XX:Tier4MinInvocationThreshold=5000",
            "-XX:Tier4CompileThreshold=30000",
            "-XX:Tier4BackEdgeThreshold=80000",
        )
    )

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def process(self) -> ServerProcess:
        """The broker's process, whoever started it."""
        return ServerProcess(
            "Kafka", pid_file=self.directory / "broker.json", log_file=self.log_file
        )

    def start(self, patience_s: float = 120.0) -> None:
        """Format the storage if it is new, start the broker and wait until it answers.

        Raises
        ------
        LocalServerError
            If a port is taken, the storage cannot be formatted or the broker does not answer.
        """
        if self.process.mark() is None:
            self.launch()
        self.process.wait_ready(self.answers, patience_s)

    def launch(self) -> None:
        """Start the broker without waiting for it; errors as `start`."""
        for port, option in (
            (self.port, "--kafka-port (TOCSIN_KAFKA_PORT)"),
            (self.controller_port, "TOCSIN_KAFKA_CONTROLLER_PORT"),
        ):
            require_free_port(port, server="Kafka", option=option)
        self._configure()
        self.process.start(
            self.distribution.command(
                "kafka.Kafka",
                str(self._properties),
                java_options=(
                    f"-Xms{min(256, self.heap_mib)}m",
                    f"-Xmx{self.heap_mib}m",
                    *self.java_options,
                ),
            )
        )

    def stop(self) -> None:
        """Stop the broker cleanly: SIGTERM, it flushes and leaves within about 2 s."""
        self.process.stop(patience_s=30.0)

    def answers(self) -> bool:
        """Whether the broker serves metadata."""
        if not is_listening(self.port):
            return False
        client = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=2.0).brokers)
        except KafkaException:
            return False

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    @property
    def _data_dir(self) -> Path:
        return self.directory / "data"

    def _configure(self) -> None:
        """Write server.properties; format the storage the first time."""
        self.directory.mkdir(parents=True, exist_ok=True)
        template = string.Template((DEPLOYMENT / "server.properties").read_text())
        self._properties.write_text(
            template.substitute(
                port=self.port,
                controller_port=self.controller_port,
                data_dir=self._data_dir.resolve(),
                retention_hours=self.retention_hours,
                retention_bytes=self.retention_mib * 2**20,
            )
            + self.extra_properties
        )
        if not (self._data_dir / "meta.properties").exists():
            # Kafka's own tool makes the id: a home-made one may begin with "-", which the
            # formatter then takes for an option.
            cluster_id = self._storage_tool("random-uuid").split()[-1]
            self._storage_tool("format", "-t", cluster_id, "-c", str(self._properties))

    def _storage_tool(self, *arguments: str) -> str:
        """Run Kafka's StorageTool; its standard output."""
        done = subprocess.run(
            self.distribution.command(
                "kafka.tools.StorageTool",
                *arguments,
                java_options=("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            ),
            capture_output=True,
            text=True,
            timeout=_FORMAT_PATIENCE_S,
            check=False,
        )
        if done.returncode != 0:
            raise LocalServerError(
                f"Kafka's StorageTool {arguments[0]} failed:\n{done.stdout}{done.stderr}"
            )
        return done.stdout
