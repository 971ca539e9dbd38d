"""A trained model: ``model.npz`` (arrays only) and ``model.json``, its card.

Never a pickle: ``numpy.load`` is told so, and the arrays are checked before they are used. The
model's id is the SHA-256 of ``model.npz``; every verdict carries its first twelve digits.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.boosted_trees import BoostedTrees, Forest, probabilities_of
from services.classify.unknown import UnknownScorer

ARRAYS_FILE = "model.npz"
CARD_FILE = "model.json"
MAX_BYTES = 64 * 2**20
"""Models are a few MB; what is larger is not one of ours."""

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Trees, calibration and card."""

    forest: Forest | None
    """None where the model is of another kind: its arrays say which."""
    temperature: float
    """What log-odds are divided by, fitted on objects that were kept apart."""
    unknown: UnknownScorer | None
    arrays: Arrays
    """All of ``model.npz``."""
    features: tuple[str, ...]
    """Names of the features, in the order of training."""
    classes: tuple[str, ...]
    version: str
    """First twelve hexadecimal digits of the SHA-256 of ``model.npz``."""
    card: dict[str, Any]
    """All of ``model.json``."""

    def probabilities(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Calibrated probabilities, shape (n, classes), of rows of shape (n, features)."""
        if self.forest is None:
            raise ValueError(f"model {self.version} holds no trees")
        return probabilities_of(self.forest.scores(rows), self.temperature)


def arrays_to_bytes(arrays: Arrays) -> bytes:
    """The content of ``model.npz``; the same arrays give the same bytes."""
    sink = io.BytesIO()
    ordered: dict[str, Any] = {name: arrays[name] for name in sorted(arrays)}
    np.savez_compressed(sink, **ordered)
    return sink.getvalue()


def arrays_from_bytes(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """Read ``model.npz``; raises ``ValueError`` if it is not one, or holds objects."""
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def identity_of(content: bytes) -> str:
    """SHA-256 of ``model.npz``, hexadecimal: the model's id."""
    return hashlib.sha256(content).hexdigest()


def load_model(folder: Path, feature_version: str) -> TrainedModel:
    """Read and verify the model in ``folder``.

    Raises
    ------
    FileNotFoundError
        If the folder holds no model.
    ValueError
        If the arrays are not those the card describes, or were trained on other features.
    """
    path = folder / ARRAYS_FILE
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path} is larger than {MAX_BYTES} bytes: not a model of ours")
    content = path.read_bytes()
    card = json.loads((folder / CARD_FILE).read_text())
    if card["id"] != identity_of(content):
        raise ValueError(f"{path} is not the model that {CARD_FILE} describes")
    if card["feature_version"] != feature_version:
        raise ValueError(
            f"{folder}: trained on features of version {card['feature_version']}, the code has"
            f" {feature_version}; train it again with `tocsin models train {card['classifier']}`"
        )
    arrays = arrays_from_bytes(content)
    forest = Forest(BoostedTrees.from_arrays(arrays)) if BoostedTrees.is_in(arrays) else None
    if forest is not None and forest.least_features > len(card["features"]):
        raise ValueError(f"{path} needs more features than {CARD_FILE} names")
    return TrainedModel(
        forest=forest,
        temperature=float(arrays["temperature"][0]) if "temperature" in arrays else 1.0,
        unknown=UnknownScorer.from_arrays(arrays) if UnknownScorer.is_in(arrays) else None,
        arrays=arrays,
        features=tuple(card["features"]),
        classes=tuple(card["classes"]),
        version=card["id"][:12],
        card=card,
    )
