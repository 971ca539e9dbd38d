"""Parsing in a process of its own, with bounds on memory and time: what kills it is refused.

Only bytes go in and only bytes come out.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import orjson

from services.mma.notices import read_notice, read_notice_file
from shared.errors import RejectedRecordError
from shared.schemas.notice import Notice

MAX_MEMORY_BYTES = 6 * 1024**3
"""Address space; a flat map of nside 1024 with distances takes 2 GB on its way."""
MAX_SECONDS = 60
_REFUSED = b"!"


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    # The default action ends the process: no handler of Python's can interrupt native code.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def parsed(content: bytes, received_ms: int) -> bytes:
    """The notice as JSON; or ``!`` and reason and detail as JSON. Runs in the worker."""
    signal.alarm(MAX_SECONDS)
    try:
        return read_notice(read_notice_file(content), received_ms).to_json()
    except RejectedRecordError as error:
        return _REFUSED + orjson.dumps([error.reason, error.detail])
    except MemoryError:
        return _REFUSED + orjson.dumps(["too_large", "needs more memory than a notice may"])
    finally:
        signal.alarm(0)


class Sandbox:
    """One worker process that reads notices; a new one is started when it dies."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def read(self, content: bytes, received_ms: int) -> Notice:
        """Understand a notice, gzipped or not.

        Raises
        ------
        RejectedRecordError
            As ``read_notice``; ``parser_died`` if it took more than its time or memory.
        """
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("spawn"), initializer=_limit
            )
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._pool, parsed, content, received_ms)
        except BrokenProcessPool as error:
            self.close()
            raise RejectedRecordError(
                "parser_died", f"reading it took more than {MAX_SECONDS} s or too much memory"
            ) from error
        if answer.startswith(_REFUSED):
            reason, detail = orjson.loads(answer[1:])
            raise RejectedRecordError(reason, detail)
        return Notice.from_json(answer)

    def close(self) -> None:
        """End the worker."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
