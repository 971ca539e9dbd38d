"""What the tests of the cluster look at, and how long they wait for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import yaml

from deploy.cluster.control_plane import ControlPlane
from deploy.k8s.generate import HERE

_PATIENCE_S = 180.0


def overlay(cluster: ControlPlane, name: str) -> list[dict[str, Any]]:
    """The manifests of an overlay."""
    text = cluster.kubectl("kustomize", str(HERE / "overlays" / name))
    return list(yaml.safe_load_all(text))


def listed(cluster: ControlPlane, kind: str) -> dict[str, dict[str, Any]]:
    """Resources of a kind in our namespace, by name."""
    found = json.loads(cluster.kubectl("-n", "tocsin", "get", kind, "-o", "json"))
    return {each["metadata"]["name"]: each for each in found["items"]}


def ready_pods(cluster: ControlPlane) -> dict[str, int]:
    """Pods that are asked for, by Deployment; -1 until that many are ready, and no more."""
    return {
        name: each["spec"]["replicas"]
        if each["spec"]["replicas"] == each["status"].get("readyReplicas", 0)
        else -1
        for name, each in listed(cluster, "deployments").items()
    }


def wait_until(holds: Callable[[], bool], seen: Callable[[], object]) -> None:
    """Back when something holds; after three minutes a failure that shows what was seen."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, seen()
        time.sleep(0.5)
