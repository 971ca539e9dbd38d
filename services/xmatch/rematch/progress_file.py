"""What an interrupted run has done already, so that the next one goes on there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

Night = tuple[str, int]
"""Survey, and the modified Julian date of the evening."""


class ProgressFile:
    """Nights that are done, of one kind of run; the file is gone when the run is complete.

    Parameters
    ----------
    folder
        Where it is kept.
    kind
        Everything that makes a run another one: versions of catalogs, options.
    """

    def __init__(self, folder: Path, kind: object) -> None:
        text = json.dumps(kind, sort_keys=True, default=str)
        name = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        self._path = folder / f"{name}.json"
        self.done: set[Night] = set()
        try:
            nights = json.loads(self._path.read_text())
            self.done = {(survey, int(night)) for survey, night in nights}
        except (OSError, ValueError, TypeError):
            self.done = set()  # none, or cut in the middle: to do a night twice does no harm

    def add(self, night: Night) -> None:
        """A night is done."""
        self.done.add(night)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(sorted(self.done)), encoding="utf-8")
        new.replace(self._path)

    def complete(self) -> None:
        """Everything is done."""
        self._path.unlink(missing_ok=True)
