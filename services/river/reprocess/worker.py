"""The fused worker of a run: started under a prefix of its own, waited for, stopped."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.errors import TocsinError
from shared.kafka.admin import KafkaAdmin
from shared.settings import ServiceSettings

SHARED_FOLDERS = ("catalogs", "watchlists", "schemas", "models")
"""What the services read below the state folder; everything else there is the run's own."""
_STUCK_S = 180.0
_LOOK_S = 1.0
_STOP_S = 30.0
_PR_SET_PDEATHSIG = 1
"""From Linux's sys/prctl.h."""


def _end_with_parent() -> None:
    """Have the system end this process when the one that started it is killed (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class RunFailedError(TocsinError):
    """The worker ended, or stopped making progress; the message names its log."""


class FusedWorker:
    """``python -m services.river`` for one run (context manager).

    Parameters
    ----------
    settings
        The live mesh's.
    prefix
        Of the run's topics and groups.
    survey, packets
        The survey and the full name of the topic of its packets.
    folder
        Becomes the worker's state folder.
    """

    def __init__(
        self, settings: ServiceSettings, prefix: str, survey: str, packets: str, folder: Path
    ) -> None:
        self._settings = settings
        self._prefix, self._packets = prefix, packets
        self.log = folder / "worker.log"
        for name in SHARED_FOLDERS:
            there = (settings.state_dir / name).absolute()
            if there.exists():
                (folder / name).symlink_to(there)
        self._environment = os.environ | {
            "TOCSIN_TOPIC_PREFIX": prefix,
            "TOCSIN_SURVEY_TOPICS": f"{survey}={packets}",
            "TOCSIN_STATE_DIR": str(folder),
            "TOCSIN_ARCHIVE_KEEP_PACKETS": "false",
            "TOCSIN_HTTP_PORT": "0",
        }

    def __enter__(self) -> Self:
        """Start it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.river"],
                env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=_end_with_parent,  # noqa: PLW1509  # one system call, no lock
            )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Have it finish its take and leave; kill it if it does not."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self, packets: int, progress: Callable[[int], None]) -> None:
        """Return when every packet has been through all stages.

        Raises
        ------
        RunFailedError
            If the worker ends, or nothing moves for three minutes.
        """
        asyncio.run(self._wait(packets, progress))

    async def _wait(self, packets: int, progress: Callable[[int], None]) -> None:
        done, moved_at = 0, time.monotonic()
        group = f"{self._prefix}ingest"
        async with KafkaAdmin(self._settings) as admin:
            while done < packets:
                await asyncio.sleep(_LOOK_S)
                committed = await admin.committed(group)
                now = sum(o for (topic, _), o in committed.items() if topic == self._packets)
                if now > done:
                    done, moved_at = now, time.monotonic()
                    progress(min(done, packets))
                if self._process.poll() is not None:
                    raise RunFailedError(f"its worker ended ({self._process.returncode}): "
                                         f"{self._last_words()}")  # fmt: skip
                if time.monotonic() - moved_at > _STUCK_S:
                    raise RunFailedError(f"nothing moved for {_STUCK_S:g} s at packet {done}: "
                                         f"{self._last_words()}")  # fmt: skip

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else "its log is empty"
