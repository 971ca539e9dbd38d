"""Where Prometheus finds the workers of this machine: a file that it follows by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.local.server_process import LOOPBACK

TARGETS_FILE = "prometheus-targets.json"
"""In the state folder; ``file_sd_configs`` of deploy/prometheus/prometheus.yml names it."""


def scrape_targets(processes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The workers that have instruments, as ``file_sd_config`` wants them."""
    return [
        {
            "targets": [f"{LOOPBACK}:{process['http_port']}"],
            "labels": {"worker": process["name"]},
        }
        for process in processes
        if process["http_port"]
    ]
