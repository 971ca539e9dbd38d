"""Broker and database: killed, kept away, slow."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator

from tests.faults.base import Fault, Scene

_SLOW_TIMES = 3
_SLOW_S = 20.0
_BETWEEN_S = 5.0


class ServerKilled(Fault):
    """kill -9 of a server; the supervisor starts it again at once."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"kill-{server}"
        self.summary = f"kill -9 of the {'broker' if server == 'kafka' else server}"

    def strike(self, scene: Scene) -> None:
        scene.mesh.kill(self.server)


class ServerAway(Fault):
    """kill -9 of a server, and another program holds its port for a while."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"{'broker' if server == 'kafka' else server}-down"
        self.summary = f"kill -9 of the {server}, which cannot come back for a while"

    def strike(self, scene: Scene) -> None:
        variable = f"TOCSIN_{self.server.upper()}_PORT"
        scene.mesh.kill(self.server)
        with held(int(scene.mesh.environment[variable])):
            time.sleep(scene.seconds)


class DatabaseSlow(Fault):
    """The database stands still, again and again: a disk that is too busy."""

    name = "database-slow"
    summary = "SIGSTOP of the database for 20 s, three times"

    def strike(self, scene: Scene) -> None:
        for _ in range(_SLOW_TIMES):
            scene.mesh.kill("database", signal.SIGSTOP)
            time.sleep(min(_SLOW_S, scene.seconds / _SLOW_TIMES))
            scene.mesh.kill("database", signal.SIGCONT)
            time.sleep(_BETWEEN_S)


@contextlib.contextmanager
def held(port: int, patience_s: float = 10.0) -> Iterator[None]:
    """Hold a port without answering on it: connections are refused."""
    deadline = time.monotonic() + patience_s
    with socket.socket() as holder:
        # To take the port although old connections linger; without the option once we have
        # it, so that nobody takes it besides us.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                holder.bind(("127.0.0.1", port))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        yield
