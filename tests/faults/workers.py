"""Two workers of each service: one freezes, the other takes over and dies, the first wakes."""

from __future__ import annotations

import signal
import time
from types import MappingProxyType

from tests.faults.base import Fault, Scene

_TAKEN_OVER_S = 10.0
"""Longer than a session: the frozen worker's partitions are the other's by then."""


class FrozenAndKilled(Fault):
    """The first wakes with a take that the second has carried out meanwhile."""

    mesh_settings = MappingProxyType({"workers": "ingest=2,xmatch=2,classify=2,mma=2,distribute=2"})

    def __init__(self, service: str) -> None:
        self.service = service
        self.name = f"two-workers-{service}"
        self.summary = f"one of two workers of {service} freezes, the other is killed meanwhile"

    def strike(self, scene: Scene) -> None:
        frozen, killed = scene.random.sample([f"{self.service}-1", f"{self.service}-2"], 2)
        scene.mesh.kill(frozen, signal.SIGSTOP)
        time.sleep(max(_TAKEN_OVER_S, scene.seconds / 2))
        scene.mesh.kill(killed)
        time.sleep(scene.seconds / 2)
        scene.mesh.kill(frozen, signal.SIGCONT)
