"""Every manifest on a real API server, with its strict validation."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.cluster.control_plane import ControlPlane
from shared.local.server_process import LocalServerError
from tests.cluster.looking import overlay, ready_pods, wait_until


def test_the_server_takes_the_production_overlay_strictly(deployed: ControlPlane) -> None:
    found = overlay(deployed, "production")
    deployed.apply(*found, dry_run=True)
    kinds = {manifest["kind"] for manifest in found}
    assert {"Kafka", "KafkaUser", "MongoDBCommunity", "PodMonitor", "ScaledObject"} <= kinds
    print(f"production: {len(found)} manifests of {len(kinds)} kinds")


def test_the_server_takes_the_local_overlay_strictly(operators: ControlPlane) -> None:
    found = overlay(operators, "local")
    # Beside production, which has the namespace already: claims cannot be changed afterwards.
    for manifest in found:
        if manifest["kind"] == "Namespace":
            manifest["metadata"]["name"] = "tocsin-local"
        else:
            manifest["metadata"]["namespace"] = "tocsin-local"
    operators.apply(*(m for m in found if m["kind"] == "Namespace"))
    operators.apply(*found)
    print(f"local: {len(found)} manifests of {len({m['kind'] for m in found})} kinds")


@pytest.mark.parametrize(
    ("kind", "place", "field"),
    [
        ("Deployment", ("spec",), "replicaz"),
        ("ScaledObject", ("spec",), "minReplicas"),
        ("KafkaTopic", ("spec",), "partition"),
        ("KafkaUser", ("spec", "authentication"), "kind"),
        ("PodMonitor", ("spec",), "podMetrics"),
        ("MongoDBCommunity", ("spec", "security"), "tlz"),
    ],
)
def test_the_server_refuses_what_is_misspelt(
    deployed: ControlPlane, kind: str, place: tuple[str, ...], field: str
) -> None:
    wrong = next(m for m in overlay(deployed, "production") if m["kind"] == kind)
    inner: dict[str, Any] = wrong
    for key in place:
        inner = inner[key]
    inner[field] = "1"
    with pytest.raises(LocalServerError, match=field):
        deployed.apply(wrong, dry_run=True)


def test_pods_become_ready(deployed: ControlPlane) -> None:
    wait_until(
        lambda: bool(ready_pods(deployed)) and -1 not in ready_pods(deployed).values(),
        lambda: ready_pods(deployed),
    )
