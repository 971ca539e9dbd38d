"""Kill -9 of each service in mid-stream: nothing is lost, and nothing comes out twice."""

from __future__ import annotations

import time

import pytest

from tests.system.mesh import SERVICES, RunningMesh, faults_of, finished

pytestmark = [pytest.mark.kafka, pytest.mark.database]
ALERTS = 1500
PER_S = 150.0


@pytest.mark.parametrize("service", SERVICES)
def test_killed_in_mid_stream(mesh: RunningMesh, service: str) -> None:
    before = mesh.process(service)["restarts"]
    sent = mesh.end_of("ztf_alerts")
    feed = mesh.simulating(ALERTS, rate=PER_S, seed=100 + SERVICES.index(service))
    mesh.wait_for_packets(sent + ALERTS // 3)
    mesh.kill(service)
    finished(feed)
    account = mesh.audit(wait_s=60)
    assert faults_of(account) == []
    ingest = [line for line in account["stages"] if line["stage"] == "ingest"]
    came_in = sum(line["came_in"] for line in ingest if line["topic"] == "ztf_alerts")
    assert came_in == sent + ALERTS
    assert mesh.process(service)["restarts"] == before + 1


def test_the_killed_mesh_is_whole_again(mesh: RunningMesh) -> None:
    deadline = time.monotonic() + 60
    while (states := {p["name"]: p["state"] for p in mesh.status()["processes"]}) and (
        set(states.values()) != {"live"}
    ):
        assert time.monotonic() < deadline, states
        time.sleep(1)
    beside = {"portal", "courier", "vtp", "learning", "receive", "kafka", "database"}
    assert {*SERVICES} | beside == set(states)
