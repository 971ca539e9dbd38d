"""What the commands about catalogs share: how they fail, and how they show that they work."""

from __future__ import annotations

import argparse
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

from shared.verbs import DAMAGED, GOOD, MISUSED, parser_of, refuse

__all__ = ["DAMAGED", "GOOD", "MISUSED", "Bars", "parser", "refuse"]


def parser(verb: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A parser of ``tocsin catalogs <verb>``."""
    return parser_of(f"catalogs {verb}", description, examples)


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
