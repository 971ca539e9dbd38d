"""A server that outlives whoever started it, and can be stopped by someone else later.

The process id is remembered in a file together with the time the process began, so that a process
id the system has given to another program in the meantime is never mistaken for ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.errors import TocsinError

LOOPBACK = "127.0.0.1"
_SAME_START_S = 5.0  # start times are rounded, and shift a little when the clock is corrected
_POLL_S = 0.05


class LocalServerError(TocsinError):
    """A local server cannot be started; the message says what to do about it."""


@dataclass(frozen=True)
class ProcessMark:
    """Which process, beyond doubt."""

    pid: int
    started_s: float
    """When it began, Unix seconds."""

    @classmethod
    def of(cls, pid: int) -> ProcessMark:
        """Mark of the living process ``pid``; of a dead one, a mark that matches nothing."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return cls(pid, 0.0)

    def process(self) -> psutil.Process | None:
        """The process, or None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                _reap(self.pid)
                return None
            return process if abs(process.create_time() - self.started_s) < _SAME_START_S else None
        except psutil.NoSuchProcess:
            return None

    def terminate(self) -> None:
        """Ask the process to end, without waiting."""
        process = self.process()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()

    def stop(self, patience_s: float) -> None:
        """End the process: SIGTERM, and SIGKILL after ``patience_s`` seconds."""
        process = self.process()
        if process is None:
            return
        try:
            process.terminate()
            try:
                process.wait(patience_s)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(patience_s)
        except psutil.NoSuchProcess:
            return


def _reap(pid: int) -> None:
    """Let a dead child of ours go; one of another process is that one's affair."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


class ServerProcess:
    """One detached server process with a log file and a file that remembers it.

    Parameters
    ----------
    name
        What people call it, for messages.
    pid_file
        JSON ``{"pid": ..., "started_s": ...}``; exists from start to stop.
    log_file
        Standard output and error are appended to it.
    """

    def __init__(self, name: str, *, pid_file: Path, log_file: Path) -> None:
        self.name = name
        self.pid_file = pid_file
        self.log_file = log_file

    def mark(self) -> ProcessMark | None:
        """Mark of the running process; None if it does not run."""
        try:
            remembered = ProcessMark(**json.loads(self.pid_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return remembered if remembered.process() else None

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start ``command`` in a session of its own; ``environment`` is added to this one's."""
        for file in (self.pid_file, self.log_file):
            file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        # The child is meant to outlive this object: without this, Popen warns when collected.
        child.returncode = 0
        mark = ProcessMark.of(child.pid)
        try:
            self._remember(mark)
        except OSError:  # a full disk: nobody would find the process again
            mark.stop(patience_s=5.0)
            raise

    def _remember(self, mark: ProcessMark) -> None:
        """Whole or not at all: half a file would be a process that is forgotten."""
        new = self.pid_file.with_suffix(".new")
        new.write_text(json.dumps({"pid": mark.pid, "started_s": mark.started_s}))
        new.replace(self.pid_file)

    def wait_ready(self, is_ready: Callable[[], bool], patience_s: float) -> None:
        """Wait until ``is_ready``.

        Raises
        ------
        LocalServerError
            If the process ends first or ``patience_s`` seconds pass; shows the end of the log.
        """
        deadline = time.monotonic() + patience_s
        while not is_ready():
            if self.mark() is None:
                raise LocalServerError(
                    f"{self.name} ended while starting.\n{end_of_log(self.log_file)}"
                )
            if time.monotonic() > deadline:
                raise LocalServerError(
                    f"{self.name} is not ready after {patience_s:.0f} s.\n"
                    f"{end_of_log(self.log_file)}"
                )
            time.sleep(_POLL_S)

    def stop(self, patience_s: float = 20.0) -> None:
        """End the process if it runs, and forget it."""
        mark = self.mark()
        if mark is not None:
            mark.stop(patience_s)
        self.pid_file.unlink(missing_ok=True)


def end_of_log(log_file: Path, lines: int = 15) -> str:
    """The last lines of a log, with its name, for an error message; JSON lines in plain words."""
    try:
        text = log_file.read_text(errors="replace")
    except FileNotFoundError:
        return f"({log_file} was not written)"
    last = [_in_plain_words(line) for line in text.splitlines()[-lines:]]
    return f"The end of {log_file}:\n" + "\n".join(f"  {line}" for line in last)


def _in_plain_words(line: str) -> str:
    """Level, event and the last line of the traceback, of a line our services have written."""
    try:
        record = json.loads(line)
        words = f"{record['level']}: {record['event']}"
    except (ValueError, KeyError, TypeError):
        return line
    last_of_traceback = str(record.get("exception", "")).strip().rpartition("\n")[2]
    return f"{words}: {last_of_traceback}" if last_of_traceback else words


def free_port() -> int:
    """A port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether something accepts connections on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def require_free_port(port: int, *, server: str, option: str) -> None:
    """Refuse a port that is taken.

    Raises
    ------
    LocalServerError
        With the name of the option that chooses another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise LocalServerError(
                f"{server} cannot use port {port} of {LOOPBACK} ({error.strerror}): "
                f"stop what holds it, or choose another with {option}"
            ) from error
