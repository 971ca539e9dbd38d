"""A service from its own image: built, started locked down, live, and drained by SIGTERM.

Needs root, buildah, podman, runc and mmdebstrap (Debian's packages). The base is Debian's own
Python 3.11, a stand-in for the official image, which no package registry serves.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.kafka.admin import ensure_topics, mesh_topics, survey_topics
from shared.local.server_process import free_port
from shared.settings import ServiceSettings

CHECKOUT = Path(__file__).parents[2]
TOOLS = ("buildah", "podman", "runc", "mmdebstrap")
BASE = "docker.io/library/python:3.11-slim-bookworm"
SERVICES = os.environ.get("TOCSIN_TEST_IMAGES_OF", "ingest,distribute").split(",")
CA = Path("/etc/ssl/certs/ca-certificates.crt")


class Engine:
    """buildah and podman over one store."""

    def __init__(self, folder: Path) -> None:
        self._store = [
            "--root", str(folder / "store"), "--runroot", str(folder / "run"),
            "--storage-driver", "vfs",
        ]  # fmt: skip
        self.folder = folder

    def buildah(self, *arguments: str) -> str:
        return _said(["buildah", *self._store, *arguments])

    def podman(self, *arguments: str) -> list[str]:
        return ["podman", *self._store, "--cgroup-manager=cgroupfs", *arguments]

    def make_base(self) -> None:
        tar = self.folder / "base.tar"
        packages = "--include=python3,python3-venv,ca-certificates"
        _said(["mmdebstrap", "--variant=minbase", packages, "bookworm", str(tar)])
        container = self.buildah("from", "scratch").strip()
        self.buildah("add", "-q", container, str(tar), "/")
        self.buildah("run", "--isolation", "chroot", container, "--", "ln", "-sf", "python3",
                     "/usr/bin/python")  # fmt: skip
        self.buildah("commit", "-q", container, BASE)
        self.buildah("rm", container)
        tar.unlink()

    def build(self, service: str) -> None:
        config = self.folder / "pip.conf"
        config.write_text(f"[global]\ncert = {CA}\n")
        environment = {
            **os.environ,
            "TOCSIN_BUILDER": " ".join(["buildah", *self._store]),
            "TOCSIN_BUILD_ARGUMENTS": "--isolation chroot --format docker --pull-never "
            f"-v {CA}:{CA}:ro -v {config}:/etc/pip.conf:ro",
        }
        _said([str(CHECKOUT / "deploy/docker/build.sh"), service], environment)

    def size_mb(self, service: str) -> float:
        images: list[dict[str, Any]] = json.loads(self.buildah("images", "--json"))
        name = f"localhost/tocsin-{service}:"
        size = next(i["size"] for i in images if any(n.startswith(name) for n in i["names"]))
        return float(size.split()[0]) * (1000.0 if size.endswith("GB") else 1.0)


def _said(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=CHECKOUT
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if "TOCSIN_TEST_IMAGES" not in os.environ:
        pytest.skip("make test-images builds them; it takes minutes")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing or TOOLS)}")
    made = Engine(tmp_path_factory.mktemp("images"))
    made.make_base()
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_starts_from_its_image_and_drains(
    engine: Engine, kafka: Any, service: str
) -> None:
    engine.build(service)
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"image-{service}."
    )
    await ensure_topics(settings, [*mesh_topics(settings), *survey_topics(settings)])
    port = free_port()
    state = engine.folder / f"{service}-state"
    state.mkdir(mode=0o777)
    state.chmod(0o777)
    variables = {
        "TOCSIN_HTTP_HOST": "127.0.0.1",
        "TOCSIN_HTTP_PORT": str(port),
        "TOCSIN_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TOCSIN_TOPIC_PREFIX": settings.topic_prefix,
    }
    options = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    name = f"tocsin-test-{service}-{os.getpid()}"
    command = engine.podman(
        "run", "--name", name, "--rm", "--pull=never", "--runtime", "runc", "--no-healthcheck",
        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "host",
        "--read-only", "--tmpfs", "/tmp:mode=1777", "--volume", f"{state}:/var/lib/tocsin",
        "--cap-drop", "all", *options, f"localhost/tocsin-{service}:0.1.0",
    )  # fmt: skip
    log = engine.folder / f"{service}.log"
    with log.open("wb") as out:
        running = subprocess.Popen(command, stdout=out, stderr=out)  # noqa: ASYNC220
    try:
        _wait_ready(port, running, log)
        _said(engine.podman("exec", name, "healthy.py"))
        assert _said(engine.podman("exec", name, "id", "-u")).strip() == "10001"
        _said(engine.podman("kill", "--signal", "TERM", name))
        assert running.wait(60) == 0, log.read_text()[-3000:]
    finally:
        running.kill()
    print(f"tocsin-{service}: {engine.size_mb(service):.0f} MB, base included")


def _wait_ready(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        assert running.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.5)
