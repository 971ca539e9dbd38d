"""Keeps the services of one machine running: ``python -m services.console.supervisor``.

A process that dies is started again after a growing pause; one that says it makes no progress, or
does not answer, is ended first. SIGTERM drains: every service gets SIGTERM, finishes what it has
taken and commits; what has not left by then is killed, and loses nothing, since it has not
acknowledged. The state is in ``supervisor.json``, for `tocsin status`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from services.console.settings import (
    ARCHIVE,
    MODULES,
    OPERATOR_TOKEN_FILE,
    PORTAL,
    RIVER,
    LocalSettings,
    one_thread_each,
)
from services.console.supervised import Supervised, SupervisedServer, SupervisedWorker
from services.console.targets import TARGETS_FILE, scrape_targets
from shared.local.server_process import LOOPBACK, ProcessMark, ServerProcess
from shared.telemetry.logs import configure_logs

STATE_FILE = "supervisor.json"
_TICK_S = 0.2
_ROTATE_EVERY_S = 10.0

log = structlog.get_logger()


class Supervisor:
    """Looks after servers and workers until it is told to stop."""

    def __init__(
        self,
        folder: Path,
        workers: Sequence[SupervisedWorker],
        servers: Sequence[SupervisedServer] = (),
        *,
        drain_patience_s: float = 30.0,
        log_limit_mib: int = 20,
    ) -> None:
        self._folder = folder
        self._workers = list(workers)
        self._servers = list(servers)
        self._drain_patience_s = drain_patience_s
        self._log_limit_bytes = log_limit_mib * 2**20
        self._mark = ProcessMark.of(os.getpid())
        self._last_state: dict[str, Any] = {}
        self._rotated_at_s = time.monotonic()
        self._told_to_stop = False

    def stop(self, *_: int | FrameType | None) -> None:
        """End `run` soon; also the handler of SIGTERM."""
        self._told_to_stop = True

    def run(self) -> None:
        """Look after everything until `stop`, then drain."""
        while not self._told_to_stop:
            self.tick()
            time.sleep(_TICK_S)
        self.drain()

    def tick(self) -> None:
        """One round: every server and worker, the logs, the state file."""
        watched: list[Supervised] = [*self._servers, *self._workers]
        for supervised in watched:
            supervised.tick()
        if time.monotonic() - self._rotated_at_s > _ROTATE_EVERY_S:
            self._rotated_at_s = time.monotonic()
            with contextlib.suppress(OSError):  # a full disk: at the next time
                rotate_logs(self._folder / "logs", self._log_limit_bytes)
        self._write_state(watched)

    def drain(self) -> None:
        """SIGTERM to every worker at once, patience, then SIGKILL."""
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + self._drain_patience_s
        for worker in self._workers:
            worker.wait(deadline - time.monotonic())
        (self._folder / STATE_FILE).unlink(missing_ok=True)

    def _write_state(self, watched: Sequence[Supervised]) -> None:
        """Write ``supervisor.json`` when something has changed, whole or not at all."""
        records = [supervised.as_record() for supervised in watched]
        state = {"pid": self._mark.pid, "started_s": self._mark.started_s, "processes": records}
        if state == self._last_state:
            return
        for record in records:
            if record not in self._last_state.get("processes", ()):
                words = {key: record[key] for key in ("pid", "restarts", "last_end")}
                log.info("process", process=record["name"], **words)
        try:
            self._replace(STATE_FILE, state)
            self._replace(TARGETS_FILE, scrape_targets(records))
        except OSError as error:  # a full disk: what runs is looked after all the same
            log.warning("state_not_written", error=str(error))
            return
        self._last_state = state

    def _replace(self, name: str, content: Any) -> None:
        new = self._folder / f"{name}.new"
        new.write_text(json.dumps(content, indent=2) + "\n")
        new.replace(self._folder / name)


def read_state(folder: Path) -> dict[str, Any] | None:
    """What the last supervisor wrote, or None; it may have died since."""
    try:
        state: dict[str, Any] = json.loads((folder / STATE_FILE).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return state


def supervisor_process(settings: LocalSettings) -> ServerProcess:
    """The supervisor of this state folder, whoever started it."""
    return ServerProcess(
        "the supervisor",
        pid_file=settings.folder / "run" / "supervisor.json",
        log_file=settings.logs_dir / "supervisor.log",
    )


def stop_orphans(folder: Path) -> None:
    """End the workers of a supervisor that was killed, and forget them."""
    state = read_state(folder) or {"processes": []}
    orphans = [
        ProcessMark(record["pid"], record["started_s"])
        for record in state["processes"]
        if record["service"] is not None and record["pid"] is not None
    ]
    for orphan in orphans:
        orphan.terminate()  # all at once, so that the patience below is not a sum
    for orphan in orphans:
        orphan.stop(patience_s=10.0)
    (folder / STATE_FILE).unlink(missing_ok=True)


def rotate_logs(folder: Path, limit_bytes: int) -> None:
    """Copy each log larger than ``limit_bytes`` to ``<name>.log.1`` and empty it.

    The writers append (O_APPEND), so they simply go on at the new beginning.
    """
    for file in folder.glob("*.log"):
        if file.stat().st_size > limit_bytes:
            file.with_suffix(".log.1").write_bytes(file.read_bytes())
            os.truncate(file, 0)


def workers_of(settings: LocalSettings) -> list[SupervisedWorker]:
    """One worker per process to start, each with its port and its log."""
    common = {**settings.environment(), **one_thread_each(), "PYTHONUNBUFFERED": "1"}
    workers: list[SupervisedWorker] = []
    ports = (
        port
        for port in itertools.count(settings.http_port_base)
        if port not in {settings.port_of_portal(), settings.port_of_vtp()}
    )
    for service in settings.chosen_services():
        count = settings.workers_of(service)
        for number in range(count):
            name = service if count == 1 else f"{service}-{number + 1}"
            port = settings.port_of_portal() if service == PORTAL else next(ports)
            workers.append(
                SupervisedWorker(
                    name=name,
                    service=service,
                    command=[sys.executable, "-m", MODULES.get(service, f"services.{service}")],
                    environment={
                        **common, "TOCSIN_HTTP_PORT": str(port), "TOCSIN_HTTP_HOST": LOOPBACK,
                        **_packets_kept_elsewhere(settings, service),
                        **_portal_environment(settings, service),
                        "TOCSIN_VTP_PORT": str(settings.port_of_vtp()),
                    },
                    log_file=settings.logs_dir / f"{name}.log",
                    http_port=port,
                    not_live_patience_s=settings.not_live_patience_s,
                    silent_patience_s=settings.silent_patience_s,
                    start_patience_s=settings.ready_patience_s,
                )
            )  # fmt: skip
    return workers


def _packets_kept_elsewhere(settings: LocalSettings, service: str) -> dict[str, str]:
    """Says to a worker that another keeps the packets: only one may write their folder.

    That is the river where there is one (it has them in hand), else the archive.
    """
    river_keeps = settings.fused and settings.workers_of(RIVER) == 1
    if service == (ARCHIVE if river_keeps else RIVER):
        return {"TOCSIN_ARCHIVE_KEEP_PACKETS": "false"}
    return {}


def _portal_environment(settings: LocalSettings, service: str) -> dict[str, str]:
    """Tells the portal where to leave a token for whoever started the mesh."""
    if service != PORTAL:
        return {}
    return {"TOCSIN_PORTAL_OPERATOR_TOKEN_FILE": str(settings.folder / OPERATOR_TOKEN_FILE)}


def servers_of(settings: LocalSettings) -> list[SupervisedServer]:
    """The servers of this machine that are to be kept running; none where they are external."""
    if settings.external:
        return []
    kafka, database = settings.local_kafka(), settings.local_database()
    return [
        SupervisedServer("kafka", kafka.process, kafka.launch, kafka.port),
        SupervisedServer(
            "database", database.process, database.launch, database.port, database.is_sick
        ),
    ]


def main() -> None:
    """Supervise what the settings in the environment describe."""
    settings = LocalSettings()
    configure_logs("supervisor", settings.log_level)
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    stop_orphans(settings.folder)
    supervisor = Supervisor(
        settings.folder,
        workers_of(settings),
        servers_of(settings),
        drain_patience_s=settings.drain_patience_s,
        log_limit_mib=settings.log_limit_mib,
    )
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    supervisor.run()


if __name__ == "__main__":
    main()
