"""The mesh that a fault wants: on one broker, or on three with replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.system.mesh import RunningMesh


@contextmanager
def mesh_for(folder: Path, brokers: int, settings: Mapping[str, object]) -> Iterator[RunningMesh]:
    """A running mesh, stopped and wiped at the end."""
    mesh = RunningMesh(folder / "mesh", **settings)
    try:
        mesh.start()
        yield mesh
    finally:
        mesh.down()
