"""``tocsin up``: servers, topics, supervisor, services; returns when all are ready."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console

from services.console.down import only_one, stop_everything
from services.console.lag import left_between
from services.console.loopback import ask
from services.console.running_mesh import RunningMesh
from services.console.settings import OPERATOR_TOKEN_FILE, PORTAL, SERVICES, LocalSettings
from services.console.supervisor import read_state, supervisor_process, workers_of
from shared.errors import TocsinError
from shared.kafka.admin import ensure_topics, mesh_topics, survey_topics
from shared.local.database_server import answers_ping
from shared.local.server_process import (
    LOOPBACK,
    LocalServerError,
    ServerProcess,
    end_of_log,
    require_free_port,
)

EPILOG = f"""\b
Examples:
  tocsin up                                 everything, on the usual ports
  tocsin up --services ingest,xmatch        some services only
  tocsin up --services none                 only Kafka and the database
  tocsin up --workers ingest=2,classify=2   more processes where it is tight
  tocsin up --fused                         ingest, xmatch, classify and mma in one process
  tocsin up --kafka-port 29092              beside another Kafka
  tocsin up --external                      your own servers, named by
        TOCSIN_KAFKA_BOOTSTRAP_SERVERS and TOCSIN_DATABASE_URI

Services: {", ".join(SERVICES)}.
Everything listens on 127.0.0.1 only; data and logs are in ./.tocsin (TOCSIN_STATE_DIR).
A second `tocsin up` changes nothing; `tocsin down` stops everything.
"""

_GIVE_UP_AFTER = 3
screen = Console(stderr=True, highlight=False)


@click.command("up", epilog=EPILOG)
@click.option("--external", is_flag=True, default=None, help="Use servers that are already there.")
@click.option("--services", metavar="A,B|none", help="Services to start; all if not given.")
@click.option("--workers", metavar="A=N,...", help="Processes per service; 1 where not named.")
@click.option(
    "--fused", is_flag=True, default=None, help="One process for ingest, xmatch, classify and mma."
)
@click.option("--partitions", type=int, help="Partitions of topics that do not exist yet.")
@click.option("--kafka-port", type=int, help="Port of the local Kafka; its controller takes +1.")
@click.option("--database-port", type=int, help="Port of the local database.")
@click.option("--http-port-base", type=int, help="First port of /metrics, /live and /ready.")
@click.option(
    "--detach/--foreground", default=True, help="Return when all is ready, or stay until Ctrl-C."
)
def command(*, detach: bool, **options: Any) -> None:
    """Start Kafka, the database and the services, and wait until they are ready."""
    chosen = {name: value for name, value in options.items() if value is not None}
    try:
        settings = LocalSettings(**chosen).aimed_at_local_servers()
    except ValidationError as error:
        raise click.UsageError("; ".join(e["msg"] for e in error.errors())) from error
    settings.folder.mkdir(parents=True, exist_ok=True)
    with only_one(settings.folder):
        supervisor = supervisor_process(settings)
        if supervisor.mark() is not None:
            screen.print("Tocsin is already up. Look: tocsin status. Stop it: tocsin down.")
            return
        stop_everything(settings)  # whatever a crash has left behind
        try:
            start(settings, supervisor)
        except TocsinError as error:
            stop_everything(settings)
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            stop_everything(settings)
            raise
    screen.print("[bold]Tocsin is up.[/bold] Look: tocsin status, tocsin watch. Stop: tocsin down.")
    if PORTAL in settings.chosen_services():
        where = f"http://{LOOPBACK}:{settings.port_of_portal()}/"
        token_file = settings.folder / OPERATOR_TOKEN_FILE
        screen.print(f"Portal: {where}  [dim]operator's token in {token_file}[/dim]")
    if not detach:
        stay(settings, supervisor)


def start(settings: LocalSettings, supervisor: ServerProcess) -> None:
    """Start servers, topics and services, one after the other, each when the last is ready.

    Raises
    ------
    TocsinError
        If one of them does not come up.
    """
    for worker in workers_of(settings):
        require_free_port(
            worker.http_port,
            server=f"the service {worker.name}",
            option="--http-port-base (TOCSIN_HTTP_PORT_BASE)",
        )
    if not settings.external:
        settings.local_database().require_free_port()  # before Kafka, which takes its time
        with step("Kafka", f"127.0.0.1:{settings.kafka_port}"):
            settings.local_kafka().start()
        with step("database", f"127.0.0.1:{settings.database_port}"):
            settings.local_database().start()
    elif not answers_ping(settings.database_uri.get_secret_value(), patience_s=10.0):
        raise LocalServerError("no database answers at TOCSIN_DATABASE_URI")
    with step("topics", f"{settings.topic_prefix}*"):
        asyncio.run(ensure_topics(settings, [*mesh_topics(settings), *survey_topics(settings)]))
    if settings.fused:
        require_nothing_between(settings)
    RunningMesh.of(settings).write(settings.folder)
    workers = workers_of(settings)
    supervisor.start([sys.executable, "-m", "services.console.supervisor"], settings.environment())
    with step("services", ", ".join(worker.name for worker in workers) or "none"):
        wait_for_services(settings, supervisor)


def require_nothing_between(settings: LocalSettings) -> None:
    """Refuse to fuse while alerts are on their way between separate services.

    Raises
    ------
    TocsinError
        If there are any: nobody would read them.
    """
    waiting = {name: n for name, n in asyncio.run(left_between(settings)).items() if n}
    if waiting:
        named = ", ".join(f"{n} for {name}" for name, n in waiting.items())
        raise TocsinError(
            f"envelopes are still on their way between services ({named}); fused, nobody would "
            "read them. Run `tocsin up` without --fused until tocsin status shows no lag."
        )


def wait_for_services(settings: LocalSettings, supervisor: ServerProcess) -> None:
    """Wait until every service answers on /ready.

    Raises
    ------
    LocalServerError
        If one dies again and again or is not ready in time; shows the end of its log.
    """
    waiting = {worker.name: worker for worker in workers_of(settings)}
    deadline = time.monotonic() + settings.ready_patience_s
    while waiting or read_state(settings.folder) is None:
        for name in [name for name, worker in waiting.items() if is_ready(worker.http_port)]:
            del waiting[name]
        for record in (read_state(settings.folder) or {"processes": []})["processes"]:
            if record["name"] in waiting and record["restarts"] >= _GIVE_UP_AFTER:
                raise LocalServerError(
                    f"{record['name']} does not start ({record['last_end']}).\n"
                    f"{end_of_log(Path(record['log']))}"
                )
        if supervisor.mark() is None:
            raise LocalServerError(f"the supervisor ended.\n{end_of_log(supervisor.log_file)}")
        if time.monotonic() > deadline:
            logs = "\n".join(end_of_log(worker.log_file) for worker in waiting.values())
            raise LocalServerError(f"not ready in time: {', '.join(waiting)}.\n{logs}")
        time.sleep(0.2)


def is_ready(http_port: int) -> bool:
    """Whether the process on this port answers 200 on /ready."""
    answer = ask(http_port, "/ready")
    return answer is not None and answer.is_yes


def stay(settings: LocalSettings, supervisor: ServerProcess) -> None:
    """Wait for Ctrl-C, or for `tocsin down` from elsewhere; then stop everything."""
    try:
        while supervisor.mark() is not None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        screen.print("Stopping.")
    stop_everything(settings)


@contextmanager
def step(name: str, what: str) -> Iterator[None]:
    """Say what is being started, and how long it took."""
    began = time.monotonic()
    with screen.status(f"{name}: {what}"):
        yield
    screen.print(f"  {name:9} {what}  [dim]{time.monotonic() - began:.1f} s[/dim]")
