"""Where models are kept, and which of them answers.

``<root>/<classifier>/<id>/`` holds ``model.npz`` and ``model.json``, ``<id>`` the first twelve
digits of the model's SHA-256. ``<root>/<classifier>/promoted.txt`` names one model per line, the
last of which answers: to promote is to add a line, to roll back is to take one away.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROMOTED_FILE = "promoted.txt"
_ID = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ModelShelf:
    """The models of one classifier."""

    root: Path
    classifier: str

    @property
    def folder(self) -> Path:
        """The classifier's folder."""
        return self.root / self.classifier

    def promoted(self) -> list[str]:
        """Ids in order of promotion, the one that answers last; empty if there is none."""
        path = self.folder / PROMOTED_FILE
        return path.read_text().split() if path.exists() else []

    def current(self) -> Path:
        """Folder of the model that answers; raises ``FileNotFoundError`` if there is none."""
        promoted = self.promoted()
        if not promoted:
            raise FileNotFoundError(
                f"{self.folder} has no promoted model; `tocsin models train {self.classifier}"
                " --promote` makes one"
            )
        return self.of(promoted[-1])

    def of(self, model_id: str) -> Path:
        """Folder of the model whose id begins with ``model_id``.

        Raises
        ------
        FileNotFoundError
            If there is none, or more than one.
        """
        found = [path for path in self.all() if path.name.startswith(model_id[:12])]
        if len(found) != 1 or not model_id:
            raise FileNotFoundError(
                f"{self.folder} has {len(found)} models whose id begins with {model_id!r};"
                " `tocsin models list` shows them"
            )
        return found[0]

    def all(self) -> list[Path]:
        """Folders of all models, by id."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _ID.fullmatch(path.name))

    def promote(self, model_id: str) -> None:
        """Let this model answer from the next start of a worker on."""
        self._write([*self.promoted(), self.of(model_id).name])

    def roll_back(self) -> str:
        """Let the model before answer again; returns its id.

        Raises
        ------
        ValueError
            If there is none before.
        """
        promoted = self.promoted()
        if len(promoted) < 2:
            raise ValueError(f"{self.classifier}: no model was promoted before this one")
        self._write(promoted[:-1])
        return promoted[-2]

    def _write(self, promoted: list[str]) -> None:
        path = self.folder / PROMOTED_FILE
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(f"{one}\n" for one in promoted))
        os.replace(fresh, path)  # noqa: PTH105  # atomic: a worker may be reading
