"""What the commands about catalogs share: how they fail, and how they show that they work."""

from __future__ import annotations

import argparse
import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

GOOD, DAMAGED, MISUSED = 0, 1, 2


def parser(verb: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser whose help ends in examples."""
    return argparse.ArgumentParser(
        prog=f"tocsin catalogs {verb}",
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def refuse(error: Exception) -> int:
    """Say what is wrong in one line; exit code 2."""
    sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
    return MISUSED


class Bars:
    """A progress bar for each phase, on a terminal only."""

    def __init__(self) -> None:
        """Bars on standard error."""
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(show_speed=True),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bars."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take them away."""
        self._progress.stop()

    def phase(self, title: str, total: int | None) -> None:
        """A new bar, of ``total`` steps if known."""
        if self._task is not None:
            self._progress.update(self._task, visible=False)
        self._task = self._progress.add_task(title, total=total)

    def advance(self, steps: int) -> None:
        """So many more steps are done."""
        if self._task is not None:
            self._progress.advance(self._task, steps)
