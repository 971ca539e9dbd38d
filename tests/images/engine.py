"""buildah and podman over one store: the images, and containers of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from shared.local.server_process import free_port

CHECKOUT = Path(__file__).parents[2]
BASE = "docker.io/library/python:3.11-slim-bookworm"
VERSION = "0.1.0"
CA = Path("/etc/ssl/certs/ca-certificates.crt")
_READY_S = 300.0
GRACE_S = 60
"""As the manifests and the compose file have it."""


class Engine:
    """Builds images as ``deploy/docker/build.sh`` does, and runs them locked down."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._built: set[str] = set()
        self._store = [
            "--root", str(folder / "store"), "--runroot", str(folder / "run"),
            "--storage-driver", "overlay",
        ]  # fmt: skip

    def buildah(self, *arguments: str) -> str:
        return said(["buildah", *self._store, *arguments])

    def podman(self, *arguments: str) -> list[str]:
        return ["podman", *self._store, "--cgroup-manager=cgroupfs", *arguments]

    def has(self, name: str) -> bool:
        return name in self.buildah("images", "--format", "{{.Name}}:{{.Tag}}").split()

    def make_base(self) -> None:
        """Debian's own Python 3.11 under the name of the official image."""
        if self.has(BASE):
            return
        tar = self.folder / "base.tar"
        packages = "--include=python3,python3-venv,ca-certificates"
        said(["mmdebstrap", "--variant=minbase", packages, "bookworm", str(tar)])
        container = self.buildah("from", "scratch").strip()
        self.buildah("add", "-q", container, str(tar), "/")
        self.buildah("run", "--isolation", "chroot", container, "--", "ln", "-sf", "python3",
                     "/usr/bin/python")  # fmt: skip
        self.buildah("commit", "-q", container, BASE)
        self.buildah("rm", container)
        tar.unlink()

    def build(self, service: str) -> None:
        """Once in a session; layers of an earlier one in the same store are taken as they are."""
        if service in self._built:
            return
        config = self.folder / "pip.conf"
        config.write_text(f"[global]\ncert = {CA}\n")
        environment = {
            **os.environ,
            "TOCSIN_BUILDER": " ".join(["buildah", *self._store]),
            "TOCSIN_BUILD_ARGUMENTS": "--layers --isolation chroot --format docker --pull-never "
            f"-v {CA}:{CA}:ro -v {config}:/etc/pip.conf:ro",
        }
        said([str(CHECKOUT / "deploy/docker/build.sh"), service], environment)
        self._built.add(service)

    def size_mb(self, service: str) -> float:
        images: list[dict[str, Any]] = json.loads(self.buildah("images", "--json"))
        name = f"localhost/tocsin-{service}:{VERSION}"
        size = next(i["size"] for i in images if name in (i.get("names") or []))
        number, unit = size.split()
        return float(number) * {"KB": 0.001, "MB": 1.0, "GB": 1000.0}[unit]

    def compressed_mb(self, service: str) -> float:
        """What a registry would keep and a node fetch: the layers, gzipped."""
        folder = self.folder / f"pushed-{service}"
        image = f"localhost/tocsin-{service}:{VERSION}"
        self.buildah("push", "-q", "--compression-format", "gzip", image, f"dir:{folder}")
        total = sum(path.stat().st_size for path in folder.iterdir())
        said(["rm", "-r", str(folder)])
        return total / 1e6


class Container:
    """One service from its image, as the compose file starts it; a context manager."""

    def __init__(self, engine: Engine, service: str, variables: dict[str, str]) -> None:
        self._engine = engine
        self.service = service
        self.name = f"tocsin-test-{service}-{os.getpid()}"
        self.port = free_port()
        self._log = engine.folder / f"{service}.log"
        state = engine.folder / "state" / (variables["TOCSIN_TOPIC_PREFIX"] + service)
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(0o777)
        told = {
            "TOCSIN_HTTP_HOST": "127.0.0.1",
            "TOCSIN_HTTP_PORT": str(self.port),
            **variables,
        }
        options = [word for name, value in told.items() for word in ("-e", f"{name}={value}")]
        self._command = engine.podman(
            "run", "--name", self.name, "--rm", "--pull=never", "--runtime", "runc",
            "--no-healthcheck", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
            "--network", "host", "--read-only", "--tmpfs", "/tmp:mode=1777",
            "--volume", f"{state}:/var/lib/tocsin", "--cap-drop", "all",
            "--security-opt", "no-new-privileges", *options,
            f"localhost/tocsin-{service}:{VERSION}",
        )  # fmt: skip

    def __enter__(self) -> Container:
        self._began = time.monotonic()
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=out)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            kill = self._engine.podman("rm", "--force", "--time", "0", self.name)
            subprocess.run(kill, capture_output=True, check=False)
            self._process.kill()
            self._process.wait()

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text()[-3000:]

    def wait_ready(self) -> float:
        """Back when it says that it is ready; seconds since its start."""
        deadline = time.monotonic() + _READY_S
        while not self._answers("ready"):
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.3)
        return time.monotonic() - self._began

    def within(self, *command: str) -> str:
        """What a command in the container says."""
        return said(self._engine.podman("exec", self.name, *command)).strip()

    def terminate(self) -> None:
        """SIGTERM, as kubelet and compose send it."""
        said(self._engine.podman("kill", "--signal", str(int(signal.SIGTERM)), self.name))

    def wait_ended(self) -> int:
        """Its exit status, within the time that kubelet and compose give it."""
        return self._process.wait(GRACE_S)

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/{path}", timeout=5
            ) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def said(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
