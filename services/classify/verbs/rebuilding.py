"""Whether a model comes out of its data and code again, bit for bit."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.classify.model import ARRAYS_FILE, CARD_FILE, arrays_from_bytes
from services.classify.model_registry import ModelShelf
from services.classify.training.make import make_model


def rebuild_and_compare(
    shelf: ModelShelf, data: Path, say: Callable[[str], None]
) -> tuple[bool, list[str]]:
    """Train the model that answers once more, beside its shelf, with its own seed.

    Returns
    -------
    identical, findings
        Whether ``model.npz`` holds the same arrays, bit for bit (its own bytes, and so its id,
        hang on zlib too); and both ids, and what else differs that may be the reason: library
        versions, training files, code.

    Raises
    ------
    FileNotFoundError
        If no model answers, or a data set is missing under ``data``.
    """
    promoted = shelf.current()
    card = _card(promoted)
    with tempfile.TemporaryDirectory(prefix="tocsin-rebuild-") as folder:
        made, _ = make_model(
            shelf.classifier, data, Path(folder), int(card["seed"]), int(card["every"]), say
        )
        new, content = _card(made), (made / ARRAYS_FILE).read_bytes()
    identical = _bits_of(content) == _bits_of((promoted / ARRAYS_FILE).read_bytes())
    findings = [f"answers: {card['id'][:12]}; made again: {new['id'][:12]}"]
    findings += [] if identical else differences(card, new)
    return identical, findings


def _bits_of(content: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Type, shape and bytes of each array of a ``model.npz``."""
    arrays = arrays_from_bytes(content)
    return {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in arrays.items()}


def differences(card: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What two cards say differently about how their models were made, one line each."""
    then, now = card["made_with"], new["made_with"]
    found = [
        f"{name}: {then.get(name)} then, {now.get(name)} now"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if card["trained_on"].get("sha256") != new["trained_on"].get("sha256"):
        found.append("the training files are others")
    if card["trained_on"].get("examples") != new["trained_on"].get("examples"):
        found.append("other examples were cut from them")
    if card.get("code_sha256") != new.get("code_sha256"):
        found.append("the code of features and training has changed since")
    return found


def _card(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / CARD_FILE).read_text())
    return found
