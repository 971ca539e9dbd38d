"""An exception inside a stage: the culprits are set aside, the rest goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.faults.base import Fault, Scene
from tests.system.mesh import CHECKOUT, RunningMesh

PLANTED = Path(__file__).with_name("planted")
EVERY = 10
"""As in planted/sitecustomize.py, which is imported by other processes."""


class PlantedMesh(RunningMesh):
    """A mesh whose services can be made to raise, one at a time."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(folder, **settings)
        self.switch = folder / "planted-bug"
        self.environment["PLANTED_BUGS"] = str(self.switch.absolute())
        self.environment["PYTHONPATH"] = f"{PLANTED}:{CHECKOUT}"


class Bug(Fault):
    """One service's work raises for every tenth record, for a while."""

    ground = "planted-bugs"

    def __init__(self, service: str) -> None:
        self.service = service
        self.name = f"bug-{service}"
        self.summary = f"an exception inside {service} for every tenth record"

    def strike(self, scene: Scene) -> None:
        mesh = scene.mesh
        assert isinstance(mesh, PlantedMesh)
        self._before = len(self._letters(scene))
        mesh.switch.write_text(self.service)
        time.sleep(min(scene.seconds, 0.4 * scene.alerts / scene.rate_hz))
        mesh.switch.unlink()

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        letters = self._letters(scene)
        found = [] if len(letters) > self._before else [f"{self.service} set nothing aside"]
        innocent = [x for x in letters if x.origin_offset % EVERY or "Planted" not in x.detail]
        if innocent:
            found.append(f"{len(innocent)} innocent records were set aside: {innocent[0].detail}")
        return found

    def _letters(self, scene: Scene) -> list[Any]:
        return [x for x in scene.mesh.letters() if (x.stage, x.reason) == (self.service, "bug")]
