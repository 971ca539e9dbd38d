"""A disk that is full: somebody else's files take what is left, and are deleted after a while."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from pathlib import Path

from tests.faults.base import Fault, Scene
from tests.system.mesh import MeshError, RunningMesh

SIZE_MIB = 2048
_TOP_UP_EVERY_S = 0.2
_FIRST_PIECE = 64 * 2**20
_LAST_PIECE = 4096


class SmallDisk:
    """A file system in memory (tmpfs) of limited size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mount(self) -> None:
        """Mount it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tocsin-faults", str(self.folder))

    def unmount(self) -> None:
        """Unmount it, with all it holds."""
        _run("umount", "-l", str(self.folder))

    def fill(self) -> None:
        """Take every block that is left."""
        piece = _FIRST_PIECE
        with self._filler.open("ab") as file:
            while piece >= _LAST_PIECE:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 2

    def free(self) -> None:
        """Give them back."""
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "somebody-elses.files"


class DiskMesh(RunningMesh):
    """A mesh with something on a small disk."""

    disk: SmallDisk


class DiskFull(Fault):
    """No block is left, for a while; what the mesh frees is taken too."""

    def __init__(self, name: str, ground: str, what: str) -> None:
        self.name = name
        self.ground = ground
        self.summary = f"the disk of {what} is full for a while"

    def strike(self, scene: Scene) -> None:
        mesh = scene.mesh
        assert isinstance(mesh, DiskMesh)
        end = time.monotonic() + scene.seconds
        try:
            while time.monotonic() < end:
                mesh.disk.fill()
                time.sleep(_TOP_UP_EVERY_S)
        finally:
            mesh.disk.free()


def lacking() -> str | None:
    """Why there can be no small disk here, in words; None if there can."""
    if os.geteuid() != 0:
        return "a disk of limited size wants root (mount)"
    return None if shutil.which("mount") else "a disk of limited size wants mount"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise MeshError(f"{' '.join(command)}: {done.stderr.strip()}")
