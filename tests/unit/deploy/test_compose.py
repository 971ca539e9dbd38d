"""The compose file starts what exists, and keeps it to this machine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import yaml

from deploy.k8s.workers import VERSION, WORKERS

COMPOSE = Path(__file__).parents[3] / "deploy/compose.yaml"


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    return {n: s for n, s in services().items() if s["image"].startswith("localhost/tocsin-")}


def test_all_workers_are_there_but_the_receiver_that_needs_credentials() -> None:
    assert {worker.name for worker in WORKERS} - {"receive"} <= set(ours())


def test_every_image_is_one_that_is_built_and_starts_what_exists() -> None:
    for name, service in ours().items():
        image, _, version = service["image"].removeprefix("localhost/tocsin-").partition(":")
        assert version == VERSION
        module = service.get("command", [f"services.{image}"])[0]
        assert importlib.util.find_spec(module) is not None, name


def test_ports_are_open_to_this_machine_only_and_workers_are_locked_down() -> None:
    for service in services().values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for name, service in ours().items():
        assert service["read_only"] is True, name


def test_what_is_waited_for_and_what_is_mounted_is_there() -> None:
    whole = yaml.safe_load(COMPOSE.read_text())
    for name, service in whole["services"].items():
        assert set(service.get("depends_on", {})) <= set(whole["services"]), name
        mounted = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        named = {volume for volume in mounted if not volume.startswith(".")}
        assert named <= set(whole["volumes"]), name
        for folder in mounted - named:
            assert (COMPOSE.parent / folder).is_dir(), folder
