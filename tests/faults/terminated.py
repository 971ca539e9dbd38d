"""A service is asked to leave: it finishes its take, commits, leaves its group."""

from __future__ import annotations

import signal
import time
from typing import Any

from tests.faults.base import Fault, Scene

_DRAIN_S = 30.0
_CLEAN = "ended with exit status 0"


class Terminated(Fault):
    """SIGTERM of one service; the supervisor starts it again."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.name = f"term-{service}"
        self.summary = f"SIGTERM of {service}"

    def strike(self, scene: Scene) -> None:
        drain(scene, self.service)

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        how = scene.mesh.process(self.service)["last_end"]
        return [] if how == _CLEAN else [f"{self.service} {how}"]


class RollingRestart(Fault):
    """Every service in turn, each drained and back before the next, then the database."""

    name = "rolling-restart"
    summary = "SIGTERM of every service, one after the other, then of database and broker"

    def strike(self, scene: Scene) -> None:
        for service in ("ingest", "xmatch", "classify", "mma", "distribute", "archive"):
            drain(scene, service)
        for server in ("database", "kafka"):
            drain(scene, server)


def drain(scene: Scene, name: str) -> None:
    """SIGTERM, and wait until another process is there in its place."""
    old = scene.mesh.kill(name, signal.SIGTERM)
    deadline = time.monotonic() + _DRAIN_S + 20.0
    while scene.mesh.process(name)["pid"] in (old, None):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} did not leave after SIGTERM")
        time.sleep(0.2)
