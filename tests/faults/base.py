"""The contract: a fault is something that is done to a running mesh while packets come in."""

from __future__ import annotations

import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Protocol

from confluent_kafka import Producer

from tests.system.mesh import MeshError, RunningMesh, finished


@dataclass
class Scene:
    """Where a fault strikes."""

    mesh: RunningMesh
    random: Random
    seconds: float = 60.0
    """How long a fault lasts that lasts."""
    alerts: int = 1500
    rate_hz: float = 100.0
    seed: int = 1
    sent_before: dict[str, int] = field(default_factory=dict)
    """Packets on each survey topic before this trial."""


class Feed(Protocol):
    """Packets that come in while the fault strikes."""

    def finish(self) -> None:
        """Back when Kafka has acknowledged every packet; raises `MeshError` if not."""


class Fault(ABC):
    """One fault. The registry in ``__init__`` lists them all."""

    name: str
    summary: str
    topic: str = "ztf_alerts"
    """Survey topic that is fed meanwhile."""
    mesh_settings: Mapping[str, object] = MappingProxyType({})
    ground: str = "one-broker"
    """What the mesh stands on: a name in ``grounds.GROUNDS``."""
    sends: float = 1.0
    """Packets on the topic after the trial, by packets of the scene."""

    def feed(self, scene: Scene) -> Feed:
        """Start the packets; a simulated night unless the fault is in the packets themselves."""
        return NightFeed(scene)

    @abstractmethod
    def strike(self, scene: Scene) -> None:
        """Do it; back when it is over (a process killed, a server let go on)."""

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        """What else must hold afterwards, beyond the account; in words if it does not."""
        return []


class NightFeed:
    """A simulated night, sent by ``tocsin simulate``."""

    def __init__(self, scene: Scene, survey: str = "ztf") -> None:
        self._process: subprocess.Popen[bytes] = scene.mesh.simulating(
            scene.alerts, rate=scene.rate_hz, seed=scene.seed, survey=survey
        )

    def finish(self) -> None:
        finished(self._process)


class PacketFeed:
    """Packets of one's own making, sent by a thread at a steady rate."""

    def __init__(self, scene: Scene, topic: str, packets: Iterator[bytes]) -> None:
        self._unsent = 0
        self._arguments = (scene.mesh.settings.kafka_bootstrap_servers, topic, packets)
        self._pause_s = 1.0 / scene.rate_hz
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        servers, topic, packets = self._arguments
        producer = Producer(
            {"bootstrap.servers": servers, "enable.idempotence": True, "acks": "all",
             "log_level": 0, "delivery.timeout.ms": 120_000, "message.max.bytes": 8_000_000}
        )  # fmt: skip
        due = time.monotonic()
        for packet in packets:
            producer.produce(topic, packet)
            producer.poll(0)
            due += self._pause_s
            time.sleep(max(0.0, due - time.monotonic()))
        self._unsent = producer.flush(120)

    def finish(self) -> None:
        self._thread.join()
        if self._unsent:
            raise MeshError(f"{self._unsent} packets were not acknowledged")
