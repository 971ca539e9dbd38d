"""A MongoDB-protocol database on loopback: SecantusDB, on MongoDB's own storage engine.

It is not mongod (no replica sets, no sharding) but a stand-in for one machine, in a process of its
own and never imported. Commits are durable: without ``--sync-on-commit`` a kill -9 was measured to
lose up to 88 of 3,700 acknowledged documents, with it none. A real MongoDB is one setting away:
``TOCSIN_DATABASE_URI`` with ``tocsin up --external``.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.local.server_process import (
    LOOPBACK,
    LocalServerError,
    ServerProcess,
    is_listening,
    require_free_port,
)

_PROGRAM = "secantusd-py"
_PROBE_MS = 500
_INTERNAL_ERROR = 1
"""MongoDB's code for what is the server's own fault."""


@dataclass(frozen=True)
class LocalDatabase:
    """A database server with its data in ``directory``."""

    directory: Path
    port: int
    log_file: Path
    cache_mib: int = 512
    oplog_seconds: int = 60
    """How long changes are kept for change streams: an hour of envelopes would be many GB."""

    @property
    def uri(self) -> str:
        """MongoDB URI for clients."""
        return f"mongodb://{LOOPBACK}:{self.port}/?directConnection=true"

    @property
    def process(self) -> ServerProcess:
        """The server's process, whoever started it."""
        return ServerProcess(
            "the database", pid_file=self.directory / "server.json", log_file=self.log_file
        )

    def start(self, patience_s: float = 60.0) -> None:
        """Start the server and wait until it answers.

        Raises
        ------
        LocalServerError
            If the program is not installed, the port is taken or the server does not answer.
        """
        if self.process.mark() is None:
            self.launch()
        self.process.wait_ready(self.answers, patience_s)

    def launch(self) -> None:
        """Start the server without waiting for it; errors as `start`."""
        program = find_database_program()
        self.require_free_port()
        self.directory.mkdir(parents=True, exist_ok=True)
        configuration = self.directory / "secantusd.toml"
        configuration.touch()  # named below, so that no file of the user's home is taken instead
        self.process.start(
            [
                str(program),
                "--config", str(configuration),
                "--host", LOOPBACK,
                "--port", str(self.port),
                "--storage-path", str(self.directory / "data"),
                "--cache-size", f"{self.cache_mib}M",
                "--log-level", "WARNING",
                "--oplog-retention-seconds", str(self.oplog_seconds),
                "--sync-on-commit",
            ]
        )  # fmt: skip

    def require_free_port(self) -> None:
        """Refuse a port that is taken; raises ``LocalServerError``."""
        require_free_port(
            self.port,
            server="the database",
            option="--database-port (TOCSIN_DATABASE_PORT)",
        )

    def stop(self) -> None:
        """Stop the server cleanly."""
        self.process.stop(patience_s=20.0)

    def answers(self) -> bool:
        """Whether the server answers a ping."""
        return is_listening(self.port) and answers_ping(self.uri)

    def is_sick(self) -> bool:
        """Whether the server answers, but only that its storage has failed.

        After a full disk the storage engine gives up (a panic) and the process stays: it refuses
        everything until it is started again. A server that is slow or away is not sick.
        """
        client: MongoClient[dict[str, Any]] = MongoClient(
            self.uri, serverSelectionTimeoutMS=_PROBE_MS, socketTimeoutMS=_PROBE_MS
        )
        try:
            with client:
                client["tocsin"]["envelopes"].find_one({"_id": "a probe"})
        except OperationFailure as error:
            return error.code == _INTERNAL_ERROR
        except PyMongoError:
            return False
        return False


def answers_ping(uri: str, patience_s: float = 2.0) -> bool:
    """Whether a MongoDB-protocol server answers at ``uri`` within ``patience_s`` seconds."""
    try:
        client: MongoClient[dict[str, Any]] = MongoClient(
            uri, serverSelectionTimeoutMS=int(1000 * patience_s)
        )
        with client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def find_database_program() -> Path:
    """The server's program: beside this Python, else on the PATH.

    Raises
    ------
    LocalServerError
        If the wheel is not installed.
    """
    beside = Path(sys.executable).parent / _PROGRAM
    found = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if found is None:
        raise LocalServerError(
            "the local database is not installed: pip install SecantusDB, "
            "or use a MongoDB of your own: tocsin up --external"
        )
    return Path(found)
