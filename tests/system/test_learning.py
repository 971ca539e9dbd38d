"""Learning on a running mesh: labels, lists, selection, the loop and votes, each killed once."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.system.mesh import CHECKOUT, EVERYTHING, RunningMesh

pytestmark = [pytest.mark.kafka, pytest.mark.database, pytest.mark.timeout(600)]
ALERTS = 1_000
CLASS_OF = {"type_ia": "SN Ia", "core_collapse": "SN II", "rr_lyrae": "RR Lyrae"}
PATIENCE_S = 150.0


def until(what: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What ``what`` gives as soon as it gives something."""
    deadline = time.monotonic() + patience_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain"
        time.sleep(0.3)
    return found


@pytest.fixture(scope="module")
def truth(mesh: RunningMesh) -> dict[str, str]:
    """A night went through the mesh; model by object."""
    path = mesh.folder / "learning-truth.jsonl"
    mesh.run("simulate", "--alerts", ALERTS, "--seed", 4343, "--truth", path)
    mesh.audit(120)  # waits until nothing is on its way
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["object_id"]: line["model"] for line in lines}


def test_injected_objects_are_followed_to_the_lists(
    mesh: RunningMesh, truth: dict[str, str], tmp_path: Path
) -> None:
    known = sorted(name for name, model in truth.items() if model in CLASS_OF)[::3]
    with (tmp_path / "classes.csv").open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(["object_id", "class_name"])
        writer.writerows((name, CLASS_OF[truth[name]]) for name in known)
    said = mesh.run("labels", "import", tmp_path / "classes.csv", "--source", "spectrum")
    assert f"{len(known)} labels sent" in said.decode()
    until(lambda: mesh.run("labels", "list", "--csv").count(b"single") >= len(known))

    mesh.run("targets", "make", "--simulated", "--json", tmp_path / "targets.json")
    made = json.loads((tmp_path / "targets.json").read_text())
    listed = {one["object_id"] for one in made["targets"]}
    assert listed
    assert all(one["is_simulated"] for one in made["targets"])
    assert not listed & set(known)  # these need no spectrum
    night = made["targets"][0]["night"]
    until(lambda: mesh.run("targets", "show", "--night", night, "--json").strip())

    path = mesh.folder / "learning-truth.jsonl"
    mesh.run("learn", "selection", path, "--by-filter", "--json", tmp_path / "efficiencies.json")
    rows = json.loads((tmp_path / "efficiencies.json").read_text())
    passed: dict[str, int] = {}
    for row in (row for row in rows if row["by"] == "class_name"):
        passed[row["stage"]] = passed.get(row["stage"], 0) + row["passed"]
    everything = passed[f"out.{EVERYTHING}"]
    assert passed["archived"] == passed["delivered"] == everything == len(truth)
    assert 0 < passed["right_class"] <= passed["classified"] < len(truth)
    assert passed["listed"] == len(listed & set(truth)) > 0


@pytest.mark.usefixtures("truth")
def test_the_loop_killed_on_the_archives_night_goes_on(mesh: RunningMesh) -> None:
    books = mesh.folder / "learning-of-a-test"
    verb = mesh.command("learn", "nightly", "--injected", "--state", books)
    running = subprocess.Popen(verb, cwd=CHECKOUT, env=mesh.environment)
    until((books / "progress.json").exists)  # it has begun to work
    running.send_signal(signal.SIGKILL)
    assert running.wait(30) in {-signal.SIGKILL, 0}
    said = mesh.run("learn", "nightly", "--injected", "--state", books, "--json")
    (night,) = map(json.loads, said.splitlines())
    assert night["alerts"] > 0
    assert json.loads((books / "progress.json").read_text())["done"][-1] == "close"


def test_votes_reach_their_users_list_and_outlive_the_worker(
    mesh: RunningMesh, truth: dict[str, str]
) -> None:
    token = (mesh.folder / "operator-token").read_text().strip()
    port = int(mesh.environment["TOCSIN_HTTP_PORT_BASE"]) + 16
    portal = httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60,
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip

    def newer_than(at_ms: int) -> dict[str, Any] | None:
        found: dict[str, Any] = portal.get("/anomalies", params={"limit": 20}).json()
        return found if (found["at_ms"] or 0) > at_ms and found["items"] else None

    name = next(name for name, model in truth.items() if model == "type_ia")
    assert portal.post("/votes", json={"object_id": name, "opinion": "anomaly"}).is_success
    worker = worker_of(mesh)
    try:
        first = until(lambda: newer_than(0))
        voted = {"object_id": first["items"][0]["object_id"], "opinion": "regular"}
        assert portal.post("/votes", json=voted).is_success
        until(lambda: voted["object_id"] not in names_of(newer_than(0)))
        before = until(lambda: newer_than(first["at_ms"]))
        worker.kill()
        worker.wait(30)
        worker = worker_of(mesh)
        until(lambda: (newer_than(before["at_ms"]) or {}).get("objects") == before["objects"])
        until(lambda: names_of(newer_than(before["at_ms"])) == names_of(before))
    finally:
        worker.terminate()
        worker.wait(60)
        portal.close()


def names_of(page: dict[str, Any] | None) -> list[str]:
    """Objects of a list, in order."""
    return [one["object_id"] for one in page["items"]] if page else []


def worker_of(mesh: RunningMesh) -> subprocess.Popen[bytes]:
    """The worker of votes, with few reference alerts."""
    return subprocess.Popen(
        [sys.executable, "-m", "services.classify.learning"], cwd=CHECKOUT,
        env={**mesh.environment, "TOCSIN_LEARNING_REFERENCE_ALERTS": "300", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
