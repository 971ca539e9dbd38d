"""A real Prometheus, a real Alertmanager and a webhook, for one test."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.local.server_process import free_port

RULES = Path(__file__).parents[2] / "deploy/prometheus/rules.yml"
_CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: tocsin
    file_sd_configs: [{{files: ["{targets}"]}}]
  - job_name: tocsin-absent
    static_configs: [{{targets: ["127.0.0.1:1"], labels: {{job: tocsin, worker: nobody}}}}]
"""
_ALERTMANAGER = """
route: {{receiver: w, group_wait: 1s}}
receivers: [{{name: w, webhook_configs: [{{url: "http://127.0.0.1:{webhook}/"}}]}}]
"""


class Watchers:
    """What runs: ask Prometheus with `query`; `told` is what the webhook got."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: list[dict[str, Any]] = []

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series of an instant query."""
        words = urllib.parse.urlencode({"query": expression})
        found: list[dict[str, Any]] = self._ask(f"query?{words}")["result"]
        return found

    def families(self) -> set[str]:
        """Names of all metrics that are exposed, those without a sample yet, too."""
        return set(self._ask("metadata"))

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/api/v1/{what}", timeout=10
        ) as answer:
            return json.load(answer)["data"]

    def wait_ready(self) -> None:
        """Back when Prometheus answers."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.query("up")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
            else:
                return


@contextmanager
def watching(folder: Path, targets: Path) -> Iterator[Watchers]:
    """Prometheus over ``targets``, with our rules, an Alertmanager and a webhook behind it."""
    programs = [shutil.which(name) for name in ("prometheus", "prometheus-alertmanager")]
    if None in programs:
        pytest.skip("no prometheus and prometheus-alertmanager (Debian's packages)")
    own, alertmanager = free_port(), free_port()
    watchers = Watchers(own)
    webhook = _webhook(watchers.told)
    # Pending times are for operators; here a second shows the same.
    (folder / "rules.yml").write_text(RULES.read_text().replace("for: 1m", "for: 1s"))
    config = _CONFIG.format(alertmanager=alertmanager, targets=targets)
    (folder / "prometheus.yml").write_text(config)
    (folder / "alertmanager.yml").write_text(_ALERTMANAGER.format(webhook=webhook.server_port))
    commands = [
        [
            str(programs[0]), f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{own}",
            "--rules.alert.resend-delay=5s",
        ],
        [
            str(programs[1]), f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
        ],
    ]  # fmt: skip
    with (folder / "watchers.log").open("wb") as log:
        running = [subprocess.Popen(each, stdout=log, stderr=log) for each in commands]
    try:
        watchers.wait_ready()
        yield watchers
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)
        webhook.shutdown()


def _webhook(told: list[dict[str, Any]]) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            told.extend(json.loads(self.rfile.read(length))["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
