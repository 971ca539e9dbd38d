"""The compose file, as the library that Docker Compose itself is made of reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.cluster.definitions import CACHE

COMPOSE = Path(__file__).parents[3] / "deploy/compose.yaml"
PROGRAM = "github.com/compose-spec/compose-go/v2/cmd@v2.9.1"


@pytest.fixture(scope="module")
def compose_go() -> Path:
    """Built once, a few seconds of work; needs go, and the module from its proxy."""
    if shutil.which("go") is None:
        pytest.skip("no go, which builds compose-go")
    folder = CACHE.parent / f"compose-go-{PROGRAM.rpartition('@')[2]}"
    built = folder / "cmd"
    if not built.is_file():
        environment = {**os.environ, "GOBIN": str(folder)}
        done = subprocess.run(
            ["go", "install", PROGRAM], capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"{PROGRAM} cannot be built: {done.stderr[-300:]}")
    return built


def read(compose_go: Path, path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(compose_go), "--format", "json", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_compose_takes_the_file(compose_go: Path) -> None:
    done = read(compose_go, COMPOSE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("stop_grace_period: 60s", "stop_grace_periode: 60s"),
        ("condition: service_completed_successfully", "condition: service_finished"),
        ("retries: 20", "retries: {often: true}"),
    ],
)
def test_compose_refuses_what_is_misspelt(
    compose_go: Path, tmp_path: Path, right: str, wrong: str
) -> None:
    text = COMPOSE.read_text()
    assert right in text
    spoilt = tmp_path / "compose.yaml"
    spoilt.write_text(text.replace(right, wrong))
    assert read(compose_go, spoilt).returncode != 0
