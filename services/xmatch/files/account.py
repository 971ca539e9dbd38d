"""Tells a user, on standard error, how far a cross-match is and what was wrong with which row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from services.xmatch.files.errors import UnusableFileError
from services.xmatch.files.positions import BadRow

MOST_TOLD = 20
"""Bad rows that get a line of their own."""


class Account:
    """Counts of one run."""

    def __init__(self, path: Path, screen: Console) -> None:
        """Tell about ``path`` on ``screen``."""
        self._path = path
        self._screen = screen
        self.rows = 0
        self._matched = 0
        self._written = 0
        self._bad = 0
        self._first_bad = ""

    def renamed(self, called: Mapping[str, str]) -> None:
        """Say which added columns have another name because the table has one like it."""
        for name, instead in called.items():
            if name != instead:
                self._say(f"the table has a column {name}; the match's is called {instead}")

    def add(self, rows: int, matched: int, written: int, bad: Sequence[BadRow]) -> None:
        """Count a piece, and tell its bad rows. Rows count from 1, names not counted."""
        for entry in bad:
            line = f"row {self.rows + entry.row + 1}: {entry.reason}"
            self._first_bad = self._first_bad or line
            self._bad += 1
            if self._bad <= MOST_TOLD:
                self._say(line)
            elif self._bad == MOST_TOLD + 1:
                self._say("and more such rows, counted at the end")
        self.rows += rows
        self._matched += matched
        self._written += written

    @property
    def has_positions(self) -> bool:
        """Whether any row so far has a position."""
        return self._bad < self.rows

    @contextmanager
    def naming_the_file(self) -> Iterator[None]:
        """Put the file's name before what is wrong with it."""
        try:
            yield
        except UnusableFileError as error:
            raise UnusableFileError(f"{self._path}: {error}") from error

    def check(self) -> None:
        """Refuse a table none of whose rows has a position.

        Raises
        ------
        UnusableFileError
            If it is such a table, or has no rows; the message names the first row.
        """
        if not self.has_positions:
            raise UnusableFileError(
                f"{self._path}: no row has a position, {self._first_bad}; "
                "name the columns with --ra COL --dec COL"
            )

    def close(self, left_out: Sequence[str], catalogs: Sequence[str]) -> None:
        """Sum up."""
        if left_out:
            self._say(f"left out, more than one number in a row: {', '.join(left_out)}")
        without = f", {self._bad:,} without a position kept with nulls" if self._bad else ""
        self._say(
            f"{self.rows:,} rows{without}; {self._matched:,} with a match in "
            f"{', '.join(catalogs)}; {self._written:,} rows written"
        )

    def _say(self, line: str) -> None:
        self._screen.print(line, markup=False, highlight=False, soft_wrap=True)
