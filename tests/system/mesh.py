"""A whole mesh for tests: real servers, six services, the supervisor, all through ``tocsin``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from services.console.account.reading import TopicReader
from services.console.supervisor import read_state
from shared.kafka.records import Record
from shared.schemas.dead_letter import DeadLetter
from shared.settings import ServiceSettings

CHECKOUT = Path(__file__).resolve().parents[2]
SERVICES = ("ingest", "xmatch", "classify", "mma", "distribute", "archive")
EVERYTHING = "everything"
"""A filter that takes every alert, so that its topic must hold every alert exactly once."""
_FILTERS = (
    (CHECKOUT / "services" / "distribute" / "filters" / "default.toml").read_text()
    + f"""
[[filter]]
name = "{EVERYTHING}"
description = "All alerts: what it lacks or holds twice, the mesh has lost or repeated."
owner = "tests"
where = "TRUE"
"""
)
_PORTS = 20
_COMMAND_PATIENCE_S = 400.0


class MeshError(Exception):
    """A verb of ``tocsin`` failed; the message is what it said."""


class RunningMesh:
    """A mesh with a state folder and ports of its own.

    Parameters
    ----------
    folder
        Becomes the state folder; nothing is written elsewhere.
    settings
        Further settings, by their names without ``TOCSIN_``.
    """

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        filters = folder / "filters.toml"
        filters.write_text(_FILTERS)
        base = free_ports()
        self.prefix = "tocsin."
        own = {
            "state_dir": folder,
            "kafka_port": base,
            "kafka_bootstrap_servers": f"127.0.0.1:{base}",
            "database_port": base + 2,
            "database_uri": f"mongodb://127.0.0.1:{base + 2}/?directConnection=true",
            "http_port_base": base + 3,
            "filters_file": filters,
        } | settings
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        ours = {f"TOCSIN_{name.upper()}": str(value) for name, value in own.items()}
        self.environment = {**clean, **ours, "PYTHONPATH": str(CHECKOUT)}
        self.settings = ServiceSettings(
            kafka_bootstrap_servers=str(own["kafka_bootstrap_servers"]), state_dir=folder
        )

    # Verbs of tocsin.

    def command(self, *arguments: object) -> list[str]:
        """The command line of a verb."""
        return [sys.executable, "-m", "services.console", *map(str, arguments)]

    def run(self, *arguments: object, allowed: Sequence[int] = (0,)) -> bytes:
        """Carry out a verb; its standard output. Raises `MeshError` with what it said."""
        done = subprocess.run(
            self.command(*arguments), cwd=CHECKOUT, env=self.environment, capture_output=True,
            timeout=_COMMAND_PATIENCE_S, check=False,
        )  # fmt: skip
        if done.returncode not in allowed or (done.returncode and not done.stdout):
            said = (done.stderr + done.stdout).decode(errors="replace")
            verb = " ".join(map(str, arguments))
            raise MeshError(f"tocsin {verb} ended with {done.returncode}:\n{said[-4000:]}")
        return done.stdout

    def start(self) -> None:
        """``tocsin up``: back when every service is ready."""
        self.run("up")

    def down(self) -> None:
        """``tocsin down --wipe``."""
        self.run("down", "--wipe")

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs of everything that runs to ``folder``."""
        shutil.copytree(self.folder / "logs", folder, dirs_exist_ok=True)

    def replay(self, *paths: Path, survey: str, rate: float = 0.0) -> None:
        """Feed packets from files."""
        self.run("replay", *paths, "--survey", survey, "--rate", rate)

    def simulating(
        self, alerts: int, *, rate: float, seed: int = 1, survey: str = "ztf"
    ) -> subprocess.Popen[bytes]:
        """A telescope that works in the background; `finished` waits for it."""
        return subprocess.Popen(
            self.command("simulate", "--survey", survey, "--alerts", alerts, "--rate", rate,
                         "--seed", seed),
            cwd=CHECKOUT, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def simulate(
        self, alerts: int, *, rate: float = 0.0, seed: int = 1, survey: str = "ztf"
    ) -> None:
        """Feed a simulated night."""
        finished(self.simulating(alerts, rate=rate, seed=seed, survey=survey))

    def audit(self, wait_s: float = 60.0) -> dict[str, Any]:
        """The account, as ``tocsin audit --json`` draws it up."""
        account: dict[str, Any] = json.loads(
            self.run("audit", "--wait", wait_s, "--json", allowed=(0, 1))
        )
        return account

    def status(self) -> dict[str, Any]:
        """``tocsin status --json``."""
        report: dict[str, Any] = json.loads(self.run("status", "--json", allowed=(0, 1, 3)))
        return report

    # What is done behind its back.

    def process(self, name: str) -> dict[str, Any]:
        """What the supervisor knows of one of its processes."""
        state = read_state(self.folder) or {"processes": []}
        found: dict[str, Any] = next(p for p in state["processes"] if p["name"] == name)
        return found

    def kill(self, name: str, with_signal: int = signal.SIGKILL) -> int:
        """Send a signal to a process of the mesh; its pid. Waits for one that is just starting."""
        deadline = time.monotonic() + 30.0
        while (pid := self.process(name)["pid"]) is None:
            if time.monotonic() > deadline:
                raise MeshError(f"{name} does not run")
            time.sleep(0.1)
        os.kill(pid, with_signal)
        return int(pid)

    # What came out.

    def topic(self, name: str) -> str:
        """Full name of one of the mesh's topics."""
        return f"{self.prefix}{name}"

    def records(self, topic: str) -> list[Record]:
        """Every record of a topic (full name)."""
        with TopicReader(self.settings) as reader:
            return list(reader.records(reader.extents(topic)))

    def letters(self) -> list[DeadLetter]:
        """Every dead letter."""
        return [DeadLetter.from_json(r.value) for r in self.records(self.topic("dead-letters"))]

    def end_of(self, topic: str) -> int:
        """How many messages ``topic`` has ever had."""
        with TopicReader(self.settings) as reader:
            return sum(extent.end for extent in reader.extents(topic))

    def wait_for_packets(self, packets: int, topic: str = "ztf_alerts") -> None:
        """Wait until ``topic`` holds so many: the fault shall come in mid-stream."""
        deadline = time.monotonic() + 120.0
        while self.end_of(topic) < packets:
            if time.monotonic() > deadline:
                raise MeshError(f"{topic} did not reach {packets} packets")
            time.sleep(0.1)


def finished(feed: subprocess.Popen[bytes], patience_s: float = _COMMAND_PATIENCE_S) -> None:
    """Wait until a feed has ended, every packet acknowledged."""
    said, _ = feed.communicate(timeout=patience_s)
    if feed.returncode:
        raise MeshError(f"the feed ended with {feed.returncode}:\n{said.decode()[-4000:]}")


def faults_of(account: dict[str, Any], undelivered: int = 0) -> list[str]:
    """What does not balance in an account, in words; and whether a message came out twice.

    ``undelivered`` alerts were set aside by distribute, and are not expected on its topics.
    """
    found = [
        f"{line['stage']} {line['topic']}/{line['partition']}: {line['missing']} missing, "
        f"{line['changed']} changed"
        for line in account["stages"]
        if not line["balances"]
    ]
    found += [
        f"{edge['name']}: {edge['missing']} missing, {edge['repeated']} repeated, "
        f"{edge['changed']} changed, {edge['strangers']} strange {edge['examples'][:3]}"
        for edge in account["edges"]
        if not edge["balances"]
    ]
    found += [f"stranger: {stranger}" for stranger in account["strangers"]]
    last = ("mma", "river")
    came_out = sum(line["went_out"] for line in account["stages"] if line["stage"] in last)
    delivered = sum(e["found"] for e in account["edges"] if e["name"].endswith(f".{EVERYTHING}"))
    if delivered != came_out - undelivered:
        found.append(f"filter {EVERYTHING} holds {delivered} messages for {came_out} alerts")
    return found


def read_all(servers: str, topic: str) -> list[bytes]:
    """Values of a topic as any subscriber reads them: plain confluent-kafka."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "subscriber", "enable.auto.commit": False}
    )
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        places = [TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions]
        expected = sum(consumer.get_watermark_offsets(p, timeout=20)[1] for p in places)
        consumer.assign(places)
        values: list[bytes] = []
        deadline = time.monotonic() + 30
        while len(values) < expected and time.monotonic() < deadline:
            values += [m.value() for m in consumer.consume(500, timeout=0.5) if not m.error()]
        return values
    finally:
        consumer.close()


def free_ports() -> int:
    """First of a run of free ports, below those the system gives to outgoing connections."""
    for base in range(20_000 + os.getpid() % 400 * 20, 32_000, _PORTS):
        if all(_is_free(port) for port in range(base, base + _PORTS)):
            return base
    raise MeshError("no free ports below 32,000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
