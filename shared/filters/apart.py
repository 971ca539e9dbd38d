"""A user's question answered in a process of its own, whose memory the system limits.

``python -m MODULE`` reads the question from standard input and writes one line of JSON: the
answer, or ``refused``, or ``failed``. ``ask_apart`` is the asking end, ``answer_apart`` the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from shared.errors import TocsinError
from shared.filters.refusal import FilterRefusedError

BESIDE_MIB = 4096
"""Address space beyond the engine's memory: libraries, reserved and never touched."""
_START_S = 30.0
_LAST_BYTES = 8192
_MOST_CHARACTERS = 300


class ApartFailedError(TocsinError):
    """The process could not answer, was stopped or ended by itself; the message says which."""


async def ask_apart(module: str, question: bytes, *, text: str, seconds: float) -> dict[str, Any]:
    """Ask ``module`` in a process of its own; cancelling kills the process.

    Parameters
    ----------
    module
        One of ours, whose ``main`` calls ``answer_apart``.
    question
        What it reads from standard input.
    text
        The user's SQL, which a refusal points into.
    seconds
        How long it may take, once it has started.

    Raises
    ------
    FilterRefusedError
        If the question is not acceptable.
    ApartFailedError
        If it has no answer.
    """
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=said,
        )  # fmt: skip
        try:
            async with asyncio.timeout(seconds + _START_S):
                told, _ = await process.communicate(question)
        except TimeoutError as error:
            raise ApartFailedError(f"stopped after {seconds:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            outcome: dict[str, Any] = json.loads(told)
        except ValueError as error:
            said.seek(max(0, said.seek(0, 2) - _LAST_BYTES))
            raise ApartFailedError(how_it_ended(process.returncode or 0, said.read())) from error
    if "refused" in outcome:
        refused = outcome["refused"]
        raise FilterRefusedError(
            refused["why"], refused["position"], text=text, hint=refused["hint"]
        )
    if "failed" in outcome:
        raise ApartFailedError(outcome["failed"])
    return outcome


def how_it_ended(status: int, said: bytes) -> str:
    """Why a process that gave no answer ended: its signal or status, and its last words."""
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    last = f": {lines[-1][:_MOST_CHARACTERS]}" if lines else ", without a word"
    if status == -signal.SIGKILL:
        return f"its process was killed, as the system does when memory runs out{last}"
    if status < 0:
        return f"its process ended by signal {_signal_name(-status)}{last}"
    return f"its process ended with status {status} and no answer{last}"


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return str(number)


def answer_apart(memory_mib: int, outcome: Callable[[], dict[str, Any]]) -> int:
    """Limit this process's memory to twice an engine's and write what ``outcome`` gives.

    Returns
    -------
    int
        Exit status.
    """
    most = (memory_mib * 2 + BESIDE_MIB) << 20  # DuckDB does not count every byte
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        with contextlib.redirect_stdout(sys.stderr):  # logs are no part of the answer
            told = outcome()
    except FilterRefusedError as error:
        told = {"refused": {"why": error.why, "position": error.position, "hint": error.hint}}
    except (TocsinError, MemoryError) as error:
        told = {"failed": str(error) or f"it needs more than {memory_mib} MiB of memory"}
    print(json.dumps(told))
    return 0
