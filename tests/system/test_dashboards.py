"""Every panel of every dashboard, asked of a real Prometheus that watches the running mesh."""

from __future__ import annotations

import time
from pathlib import Path

from deploy.grafana.build import BOARDS
from deploy.grafana.panels import Panel
from services.console.targets import TARGETS_FILE
from tests.system.mesh import RunningMesh
from tests.system.prometheus import Watchers, watching

_PATIENCE_S = 90.0


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


def test_no_panel_is_empty_and_alerts_reach_the_webhook(mesh: RunningMesh, tmp_path: Path) -> None:
    with watching(tmp_path, mesh.folder / TARGETS_FILE) as watchers:
        telescope = mesh.simulating(3000, rate=50.0, seed=77)
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


def test_every_worker_is_found(mesh: RunningMesh, tmp_path: Path) -> None:
    running = {p["name"] for p in mesh.status()["processes"] if p["http_port"]}
    with watching(tmp_path, mesh.folder / TARGETS_FILE) as watchers:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            up = {s["metric"]["worker"] for s in watchers.query("up == 1")}
            if up == running:
                break
            time.sleep(1)
    assert up == running
