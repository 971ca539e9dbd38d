"""The mesh from its images: drained in the middle of its work, started again, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from shared.kafka.topics import Topic
from shared.settings import ServiceSettings
from tests.images.engine import CHECKOUT, GRACE_S, Container, Engine
from tests.images.groups import alerts_in, members, read_so_far

MESH = ("ingest", "xmatch", "classify", "mma", "distribute", "archive")
ALERTS = 4000
RATE = 100.0
_PATIENCE_S = 600.0


@contextmanager
def running(engine: Engine, variables: dict[str, str]) -> Iterator[list[Container]]:
    """Every service of the mesh, ready."""
    with ExitStack() as stack:
        containers = [
            stack.enter_context(Container(engine, service, variables)) for service in MESH
        ]
        for container in containers:
            container.wait_ready()
        yield containers


def tocsin(*arguments: str, variables: dict[str, str]) -> subprocess.Popen[str]:
    """A verb of the console, beside the containers."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "services.console", *arguments], cwd=CHECKOUT, text=True,
        env=clean | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.timeout(3600)
def test_sigterm_in_the_middle_of_work_loses_nothing(
    engine: Engine, settings: ServiceSettings, variables: dict[str, str]
) -> None:
    for service in MESH:
        engine.build(service)
    with running(engine, variables) as containers:
        telescope = tocsin(
            "simulate", "--alerts", str(ALERTS), "--rate", str(RATE), variables=variables
        )
        deadline = time.monotonic() + _PATIENCE_S
        while not all(read_so_far(settings, c.service) for c in containers):
            assert time.monotonic() < deadline, "alerts do not come through"
            time.sleep(0.5)
        assert telescope.poll() is None, "the telescope was done before the services were stopped"
        began = time.monotonic()
        for container in containers:
            container.terminate()
        ended = {container.service: container.wait_ended() for container in containers}
        drained_s = time.monotonic() - began
    assert set(ended.values()) == {0}, ended
    assert drained_s < GRACE_S
    assert members(settings) == 0, "left in a group"
    with running(engine, variables):
        assert telescope.wait(_PATIENCE_S) == 0, telescope.communicate()[0]
        audit = tocsin("audit", "--wait", "300", variables=variables)
        said = audit.communicate(timeout=_PATIENCE_S)[0]
    assert audit.returncode == 0, said
    print(f"\nall six drained within {drained_s:.1f} s in the middle of {ALERTS:,} alerts\n{said}")


@pytest.mark.timeout(1800)
def test_ingest_commits_just_what_it_has_sent_when_it_is_stopped(
    engine: Engine, settings: ServiceSettings, variables: dict[str, str]
) -> None:
    engine.build("ingest")
    with Container(engine, "ingest", variables) as container:
        container.wait_ready()
        telescope = tocsin(
            "simulate", "--alerts", str(ALERTS), "--rate", str(RATE), variables=variables
        )
        deadline = time.monotonic() + _PATIENCE_S
        while read_so_far(settings, "ingest") < 200:
            assert time.monotonic() < deadline, container.said()
            time.sleep(0.2)
        assert telescope.poll() is None, "the telescope was done before ingest was stopped"
        began = time.monotonic()
        container.terminate()
        assert container.wait_ended() == 0, container.said()
        drained_s = time.monotonic() - began
    telescope.terminate()
    telescope.wait(60)
    assert members(settings) == 0, "left in a group"
    sent = alerts_in(settings, Topic.ALERTS)
    assert len(sent) == len(set(sent)) == read_so_far(settings, "ingest")
    print(f"\ningest drained within {drained_s:.1f} s, after {len(sent):,} of {ALERTS:,} alerts")
