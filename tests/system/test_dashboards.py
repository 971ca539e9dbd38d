"""Every panel of every dashboard, asked of a real Prometheus that watches the running mesh."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator

import pytest
import yaml

from deploy.grafana.build import BOARDS
from deploy.grafana.panels import Panel
from services.classify.learning.nightly.books import Books
from services.classify.learning.nightly.measures import LOOPS
from services.classify.learning.nightly.run import run_night
from services.console.targets import TARGETS_FILE
from shared.kafka.envelopes import read_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Message
from shared.kafka.topics import Topic
from shared.schemas.vote import Vote
from tests.system.mesh import RunningMesh
from tests.system.prometheus import RULES, Watchers, watching
from tests.unit.services.classify.learning.made_up_nights import FIRST, NIGHTS, MadeUp

_PATIENCE_S = 90.0
_FROM_ELSEWHERE = {"kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"}
"""What alarms ask that no worker tells: the kubelet's, on a cluster."""
_TARGETS_PATIENCE_S = 120.0


def panels() -> list[tuple[str, Panel]]:
    return [
        (f"{board.name}: {row.title}: {panel.title}", panel)
        for board in BOARDS
        for row in board.rows
        for panel in row.panels
    ]


def empty(watchers: Watchers) -> list[str]:
    """The queries that return nothing, or nothing but NaN."""
    return [
        f"{name}: {expression}"
        for name, panel in panels()
        for expression, _ in panel.queries
        if not any(s["value"][1] != "NaN" for s in watchers.query(expression))
    ]


@pytest.fixture(scope="module")
def watchers(mesh: RunningMesh, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watchers]:
    with watching(tmp_path_factory.mktemp("watchers"), mesh.folder / TARGETS_FILE) as found:
        yield found


@pytest.fixture(scope="module")
def learnt(mesh: RunningMesh, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Labels, votes and lists of targets of the mesh's own objects; ten nights of the loop.

    The loop's nights are made up: simulated alerts are of a past night, and labels of today come
    too late to judge what was answered then.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("services.classify.learning.nightly.steps.LEAST_JUDGED", 20)
        for night in range(FIRST, FIRST + NIGHTS):
            run_night(Books(mesh.folder / LOOPS["real"]), MadeUp(), night, seed=1)
    labels = tmp_path_factory.mktemp("labels") / "labels.csv"
    labels.write_text("object_id,class_name,source\nnobody,SN Ia,spectrum\n")
    mesh.run("labels", "import", labels, "--author", "tests")

    async def vote() -> None:
        outbox = Outbox(mesh.settings)
        one = Vote(user="ann", object_id="nobody", opinion="anomaly", said_ms=1)
        await outbox.send(mesh.topic(Topic.VOTES), [Message(one.to_json(), key=one.key)])
        await outbox.stop()

    asyncio.run(vote())


def make_targets(mesh: RunningMesh) -> None:
    """Lists of the simulated night's objects, as soon as the archive has enough of them."""
    mesh.wait_for_packets(5, mesh.topic(Topic.CORRELATED))
    deadline = time.monotonic() + _TARGETS_PATIENCE_S
    while not (mesh.folder / LOOPS["simulated"] / "targets.json").exists():
        assert time.monotonic() < deadline, "no list of targets was made"
        mesh.run("targets", "make", "--simulated", "--night", night_of(mesh) + 1)
        time.sleep(1.0)


def night_of(mesh: RunningMesh) -> int:
    batches = (read_envelope(r.value) for r in mesh.records(mesh.topic(Topic.CORRELATED)))
    return int(max(batch.floats("mjd_tai").max() for batch in batches) - 0.75)


@pytest.mark.usefixtures("learnt")
def test_no_panel_is_empty_and_alerts_reach_the_webhook(
    mesh: RunningMesh, watchers: Watchers
) -> None:
    telescope = mesh.simulating(3000, rate=50.0, seed=77)
    make_targets(mesh)
    deadline = time.monotonic() + _PATIENCE_S
    while (left := empty(watchers)) and time.monotonic() < deadline:
        time.sleep(3.0)
    assert not left, "\n".join(left)
    told = {(alert["labels"]["alertname"], alert["labels"].get("worker", ""))
            for alert in watchers.told}  # fmt: skip
    assert ("TocsinWorkerDown", "nobody") in told
    assert {worker for name, worker in told if name == "TocsinWorkerDown"} == {"nobody"}
    telescope.terminate()
    telescope.wait(30)


def test_every_worker_is_found(mesh: RunningMesh, watchers: Watchers) -> None:
    running = {p["name"] for p in mesh.status()["processes"] if p["http_port"]}
    assert {"learning", "receive", "courier", "vtp", "portal"} < running
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        up = {s["metric"]["worker"] for s in watchers.query("up == 1")}
        if up == running:
            break
        time.sleep(1)
    assert up == running


def test_what_alarms_ask_for_is_told_by_the_mesh(watchers: Watchers) -> None:
    told = watchers.families()
    rules = yaml.safe_load(RULES.read_text())
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        names = re.findall(r"\b(?:tocsin|process|kubelet|node)_[a-z0-9_]+", rule["expr"])
        for name in set(names) - _FROM_ELSEWHERE:
            families = {name, re.sub("_(total|bucket|sum|count)$", "", name)}
            assert families & told, f"{rule.get('alert', rule.get('record'))} asks for {name}"
