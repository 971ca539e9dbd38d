"""A service dies at once, whatever it was doing."""

from __future__ import annotations

from tests.faults.base import Fault, Scene


class Killed(Fault):
    """kill -9 of one service; the supervisor starts it again."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.name = f"kill-{service}"
        self.summary = f"kill -9 of {service}"

    def strike(self, scene: Scene) -> None:
        scene.mesh.kill(self.service)
