"""What the loop remembers, in files: every one is written whole, beside, and then put in place.

``progress.json`` says which night is being worked on and which steps are done; ``frozen/`` holds
what was answered on each night; ``scores/`` what the answers were worth; ``models/`` the shelf;
``journal.jsonl`` the audit, one line a night and one for every change of the model that answers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.model import (
    ARRAYS_FILE,
    CARD_FILE,
    Arrays,
    arrays_from_bytes,
    arrays_to_bytes,
    identity_of,
)
from services.classify.model_registry import ModelShelf

SHELF = "stream"
"""Name of the shelf of models that learn on the stream."""


def put(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())
    os.replace(fresh, path)  # noqa: PTH105  # atomic


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was answered on one night, before anybody knew."""

    object_id: npt.NDArray[np.str_]
    rows: npt.NDArray[np.float32]
    champion: npt.NDArray[np.float64]
    """Shape (n, classes); NaN while there is no champion."""
    challenger: npt.NDArray[np.float64]
    """Shape (n, classes); NaN before the first lesson."""
    refitted: npt.NDArray[np.float64]
    """Shape (n, classes), of the weekly trees; NaN before the first."""


class Books:
    """The loop's files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = ModelShelf(folder / "models", SHELF)

    def progress(self) -> dict[str, Any]:
        """The state of the loop; empty before the first night."""
        path = self.folder / "progress.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def note(self, progress: Mapping[str, Any]) -> None:
        """Remember the state of the loop."""
        put(self.folder / "progress.json", json.dumps(dict(progress), indent=1).encode())

    def freeze(self, night: int, frozen: Frozen) -> None:
        """Keep a night's answers."""
        arrays = {name: getattr(frozen, name) for name in Frozen.__slots__}
        put(self.folder / "frozen" / f"{night}.npz", arrays_to_bytes(arrays))

    def frozen(self, night: int) -> Frozen:
        """The answers of a night; raises ``FileNotFoundError``."""
        content = (self.folder / "frozen" / f"{night}.npz").read_bytes()
        arrays = arrays_from_bytes(content)
        # Nights from before the weekly trees answered have no such array.
        arrays.setdefault("refitted", np.full_like(arrays["challenger"], np.nan))
        return Frozen(**arrays)

    def frozen_nights(self) -> list[int]:
        """Nights with answers, ascending."""
        return sorted(int(path.stem) for path in (self.folder / "frozen").glob("*.npz"))

    def write(self, kind: str, night: int, content: Mapping[str, Any]) -> None:
        """Keep a night's report of some kind: ``scores``, ``drift``."""
        put(self.folder / kind / f"{night}.json", json.dumps(dict(content), indent=1).encode())

    def read(self, kind: str, night: int) -> dict[str, Any]:
        """A report; raises ``FileNotFoundError``."""
        found: dict[str, Any] = json.loads((self.folder / kind / f"{night}.json").read_text())
        return found

    def save_model(self, arrays: Arrays, card: Mapping[str, Any]) -> str:
        """Put a model on the shelf; returns its id. The same arrays have the same id."""
        content = arrays_to_bytes(arrays)
        full = identity_of(content)
        folder = self.shelf.folder / full[:12]
        put(folder / ARRAYS_FILE, content)
        put(folder / CARD_FILE, json.dumps({**card, "id": full}, indent=1).encode())
        return full[:12]

    def model(self, model_id: str) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays and card of a model.

        Raises
        ------
        ValueError
            If the arrays are not those of the card.
        """
        folder = self.shelf.of(model_id)
        content = (folder / ARRAYS_FILE).read_bytes()
        card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text())
        if identity_of(content) != card["id"]:
            raise ValueError(f"{folder / ARRAYS_FILE} is not the model that {CARD_FILE} describes")
        return arrays_from_bytes(content), card

    @property
    def champion(self) -> str | None:
        """Id of the model that answers; None before the first promotion."""
        promoted = self.shelf.promoted()
        return promoted[-1] if promoted else None

    def journal(self) -> list[dict[str, Any]]:
        """The audit, oldest first. A line that was cut off by a crash is passed over."""
        path = self.folder / "journal.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return found

    def enter(self, entry: Mapping[str, Any]) -> None:
        """Add to the audit, once: an entry of the same ``key`` is not written again."""
        known = self.journal()
        if any(one.get("key") == entry["key"] for one in known):
            return
        lines = [*known, dict(entry)]
        text = "".join(json.dumps(one) + "\n" for one in lines)
        put(self.folder / "journal.jsonl", text.encode())
