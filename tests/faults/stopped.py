"""A process that is there and does nothing: a machine that swaps, a debugger, a frozen disk."""

from __future__ import annotations

import signal
import time
from types import MappingProxyType
from typing import Any

from tests.faults.base import Fault, Scene


class Stopped(Fault):
    """SIGSTOP for a while: its group goes on without it, then it comes back with an old take."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.name = f"stop-{service}"
        self.summary = f"SIGSTOP of {service}, then SIGCONT"

    def strike(self, scene: Scene) -> None:
        scene.mesh.kill(self.service, signal.SIGSTOP)
        time.sleep(scene.seconds)
        scene.mesh.kill(self.service, signal.SIGCONT)


class Hung(Fault):
    """SIGSTOP without end: the supervisor must notice, end the process and start another."""

    mesh_settings = MappingProxyType({"silent_patience_s": 10.0})

    def __init__(self, service: str) -> None:
        self.service = service
        self.name = f"hang-{service}"
        self.summary = f"SIGSTOP of {service} for ever; not answering is allowed for 10 s"

    def strike(self, scene: Scene) -> None:
        self.restarts = scene.mesh.process(self.service)["restarts"]
        scene.mesh.kill(self.service, signal.SIGSTOP)

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        restarted = scene.mesh.process(self.service)["restarts"] - self.restarts
        return [] if restarted == 1 else [f"{self.service} was restarted {restarted} times"]
