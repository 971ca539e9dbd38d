"""Progress on standard error: a bar where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LINE_EVERY_S = 10.0


class PacketProgress:
    """Counts packets; ``total`` None if nobody knows how many there are."""

    def __init__(self, title: str, total: int | None) -> None:
        self._title, self._total = title, total
        self._count = 0
        self._start = self._last_line = time.monotonic()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]:.0f}/s"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task(title, total=total, rate=0.0)

    def __enter__(self) -> PacketProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def rate(self) -> float:
        """Packets per second so far."""
        return self._count / max(time.monotonic() - self._start, 1e-9)

    def advance(self, packets: int) -> None:
        """Count ``packets`` more."""
        self._count += packets
        if self._bar is not None:
            self._bar.update(self._task, advance=packets, rate=self.rate)
        elif time.monotonic() - self._last_line > _LINE_EVERY_S:
            self._last_line = time.monotonic()
            of_all = "" if self._total is None else f" of {self._total:,}"
            sys.stderr.write(f"{self._title}: {self._count:,}{of_all} packets, {self.rate:.0f}/s\n")
