"""``tocsin down``: services first, then the servers; nothing is left behind."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from services.console.running_mesh import RunningMesh
from services.console.settings import LocalSettings
from services.console.supervisor import stop_orphans, supervisor_process
from shared.local.kafka_distribution import CHECKOUT
from shared.local.server_process import ServerProcess

EPILOG = """\b
Examples:
  tocsin down          stop everything; topics and database are there again after tocsin up
  tocsin down --wipe   stop everything and forget all topics, documents, packets and logs

Services get SIGTERM, finish what they have taken and commit; whatever has not left after
TOCSIN_DRAIN_PATIENCE_S (30 s) is killed and is done again after the next start. External servers
are left alone, and so is what they hold.
"""


@click.command("down", epilog=EPILOG)
@click.option("--wipe", is_flag=True, help="Delete the data, the logs and all state as well.")
def command(*, wipe: bool) -> None:
    """Stop the services, the database and Kafka."""
    settings = LocalSettings()
    if not settings.folder.is_dir():
        click.echo(f"Nothing was started from here (no {settings.folder}).", err=True)
        return
    with only_one(settings.folder):
        stopped = stop_everything(settings)
        if wipe:
            wipe_state(settings.folder)
    (settings.folder / "lock").unlink(missing_ok=True)
    click.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.", err=True)
    if wipe:
        click.echo(f"Wiped {settings.folder}.", err=True)


def stop_everything(settings: LocalSettings) -> list[str]:
    """Stop supervisor, services and local servers; the names of those that were running."""
    stopped = []
    supervisor = supervisor_process(settings)
    kafka = settings.folder / "kafka" / "broker.json"
    database = settings.folder / "database" / "server.json"
    for process, patience_s in (
        # The supervisor itself needs the drain's patience, and a little for the killing after it.
        (supervisor, settings.drain_patience_s + 15.0),
        (ServerProcess("the database", pid_file=database, log_file=Path()), 20.0),
        (ServerProcess("Kafka", pid_file=kafka, log_file=Path()), 30.0),
    ):
        if process.mark() is not None:
            stopped.append(process.name)
        process.stop(patience_s)
        if process is supervisor:
            stop_orphans(settings.folder)
    RunningMesh.forget(settings.folder)
    return stopped


def wipe_state(folder: Path) -> None:
    """Delete everything in the state folder but Kafka's jars.

    Raises
    ------
    click.ClickException
        If the folder is not one of Tocsin's own, but holds somebody's home or the checkout.
    """
    if Path.home().is_relative_to(folder) or CHECKOUT.is_relative_to(folder):
        raise click.ClickException(f"{folder} is not only Tocsin's; delete its contents by hand")
    for entry in folder.iterdir():
        if entry.name == "lock":
            continue
        if entry.name == "kafka":
            for inside in entry.iterdir():
                if not inside.name.startswith("libs-"):
                    _delete(inside)
        else:
            _delete(entry)


def _delete(entry: Path) -> None:
    """Delete a file or a folder with all it holds."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Let one `up` or `down` at a time work on this state folder."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
