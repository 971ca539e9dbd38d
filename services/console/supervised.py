"""One thing the supervisor keeps running: a service's process, or a local server."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from services.console.loopback import ask
from shared.local.server_process import LocalServerError, ProcessMark, ServerProcess

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
"""What makes workers die again and again is mostly a server that is away, and may be back."""
LONGEST_SERVER_PAUSE_S = 5.0
"""Without a server nothing goes on: its port may be free again at any moment."""
CALM_AFTER_S = 60.0
"""A process that ran so long was healthy: its next restart is quick again."""
_LIVE_EVERY_S = 5.0
_PROBE_EVERY_S = 3.0
_TERMINATE_PATIENCE_S = 15.0
_SILENT_TERMINATE_PATIENCE_S = 5.0
"""What does not answer hardly hears SIGTERM either."""


@dataclass
class Backoff:
    """How long to wait before the next start: doubling, until something runs for a while."""

    pause_s: float = 0.0
    longest_s: float = LONGEST_PAUSE_S

    def next_pause_s(self, ran_s: float) -> float:
        """Seconds to wait, after a process that ran for ``ran_s`` seconds."""
        calm = ran_s >= CALM_AFTER_S
        self.pause_s = min(max(FIRST_PAUSE_S, 0 if calm else 2 * self.pause_s), self.longest_s)
        return self.pause_s


class Supervised(Protocol):
    """What the supervisor can do with everything it keeps running."""

    name: str

    def tick(self) -> None:
        """Look after it once: start, restart, end what hangs."""
        ...

    def as_record(self) -> dict[str, Any]:
        """What ``tocsin status`` shows of it."""
        ...


@dataclass
class SupervisedWorker:
    """A child process: started again when it dies, or when it says or shows that it is stuck."""

    name: str
    service: str
    command: list[str]
    environment: Mapping[str, str]
    log_file: Path
    http_port: int = 0
    not_live_patience_s: float = 20.0
    silent_patience_s: float = 120.0
    start_patience_s: float = 300.0
    """The same until its first answer: a first start indexes catalogs and compiles."""
    restarts: int = 0
    last_end: str | None = None
    """Why it was last started again, in words."""
    _process: subprocess.Popen[bytes] | None = None
    _mark: ProcessMark | None = None
    _backoff: Backoff = field(default_factory=Backoff)
    _start_at_s: float = 0.0
    _started_at_s: float = 0.0
    _asked_at_s: float = 0.0
    _not_live_since_s: float | None = None
    _silent_since_s: float | None = None
    _has_answered: bool = False
    _kill_at_s: float | None = None

    def tick(self) -> None:
        """Start it if it is due, notice its death, ask whether it is live."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._start_at_s:
                self._start(now)
            return
        status = self._process.poll()
        if status is not None:
            self._ended(now, _in_words(status))
        elif self._kill_at_s is not None:
            if now >= self._kill_at_s:
                self._process.kill()
        elif self.http_port and now - self._asked_at_s >= _LIVE_EVERY_S:
            self._asked_at_s = now
            self._judge(now)

    def terminate(self) -> None:
        """Ask it to finish its work and leave."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, patience_s: float) -> None:
        """Wait until it has left; kill it after ``patience_s`` seconds."""
        if self._process is None:
            return
        try:
            self._process.wait(max(patience_s, 0.01))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def as_record(self) -> dict[str, Any]:
        """What ``tocsin status`` shows of it."""
        return {
            "name": self.name,
            "service": self.service,
            "pid": self._mark.pid if self._mark else None,
            "started_s": self._mark.started_s if self._mark else None,
            "restarts": self.restarts,
            "last_end": self.last_end,
            "http_port": self.http_port,
            "log": str(self.log_file),
        }

    def _start(self, now: float) -> None:
        try:
            log_file = self.log_file.open("ab")
        except OSError as error:  # a full disk
            self.last_end = str(error)
            self._start_at_s = now + self._backoff.next_pause_s(0.0)
            return
        with log_file as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
            )
        self._mark = ProcessMark.of(self._process.pid)
        self._started_at_s = self._asked_at_s = now
        self._not_live_since_s = self._silent_since_s = self._kill_at_s = None
        self._has_answered = False

    def _ended(self, now: float, why: str) -> None:
        self._process = self._mark = None
        self.restarts += 1
        if self._kill_at_s is None:  # otherwise the true reason is already noted
            self.last_end = why
        self._start_at_s = now + self._backoff.next_pause_s(now - self._started_at_s)

    def _judge(self, now: float) -> None:
        """Ask /live; end a process that has long been stuck or has long not answered."""
        live = ask(self.http_port, "/live")
        if live is None:
            self._silent_since_s = self._silent_since_s or now
            patience_s = self.silent_patience_s
            if not self._has_answered:
                patience_s = max(patience_s, self.start_patience_s)
            if now - self._silent_since_s > patience_s:
                why = f"did not answer on /live for {patience_s:.0f} s"
                self._end_stuck(now, why, _SILENT_TERMINATE_PATIENCE_S)
            return
        self._silent_since_s = None
        self._has_answered = True
        if live.is_yes:
            self._not_live_since_s = None
            return
        self._not_live_since_s = self._not_live_since_s or now
        if now - self._not_live_since_s > self.not_live_patience_s:
            self._end_stuck(now, f"made no progress: {live.text[:200]}", _TERMINATE_PATIENCE_S)

    def _end_stuck(self, now: float, why: str, patience_s: float) -> None:
        self.last_end = why
        self.terminate()
        self._kill_at_s = now + patience_s


@dataclass
class SupervisedServer:
    """Kafka or the database: detached, outlives the supervisor, started again when it dies."""

    name: str
    process: ServerProcess
    launch: Callable[[], None]
    port: int
    is_sick: Callable[[], bool] = lambda: False
    """Whether it is there, but will never serve again; may take a second to find out."""
    restarts: int = 0
    last_end: str | None = None
    _backoff: Backoff = field(default_factory=lambda: Backoff(longest_s=LONGEST_SERVER_PAUSE_S))
    _probed_at_s: float = field(default_factory=time.monotonic)
    _times_sick: int = 0
    _ended_because: str | None = None
    _seen_at_s: float = field(default_factory=time.monotonic)
    _launched_at_s: float = field(default_factory=time.monotonic)
    _start_at_s: float = 0.0
    _is_down: bool = False

    def tick(self) -> None:
        """Start it again if it has died."""
        now = time.monotonic()
        if now - self._seen_at_s < 1.0 or now < self._start_at_s:
            return
        self._seen_at_s = now
        if self.process.mark() is not None:
            self._is_down = False
            self._probe(now)
            return
        if not self._is_down:
            self._is_down = True
            self._start_at_s = now + self._backoff.next_pause_s(now - self._launched_at_s)
            return
        self.restarts += 1
        self.last_end = self._ended_because or "it ended by itself"
        self._ended_because = None
        self._is_down = False
        self._launched_at_s = now
        try:
            self.launch()
        except (LocalServerError, OSError) as error:  # a port that is taken; a full disk
            self.last_end = str(error)

    def _probe(self, now: float) -> None:
        """End a server that is sick twice in a row; it is started again as any that ended."""
        if now - self._probed_at_s < _PROBE_EVERY_S:
            return
        self._probed_at_s = now
        self._times_sick = self._times_sick + 1 if self.is_sick() else 0
        if self._times_sick > 1:
            self._times_sick = 0
            self._ended_because = "it refused everything"
            self.process.stop(patience_s=_SILENT_TERMINATE_PATIENCE_S)

    def as_record(self) -> dict[str, Any]:
        """What ``tocsin status`` shows of it."""
        mark = self.process.mark()
        return {
            "name": self.name,
            "service": None,
            "pid": mark.pid if mark else None,
            "started_s": mark.started_s if mark else None,
            "restarts": self.restarts,
            "last_end": self.last_end,
            "http_port": 0,
            "log": str(self.process.log_file),
        }


def _in_words(status: int) -> str:
    """How a process ended."""
    return f"ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
