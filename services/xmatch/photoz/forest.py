"""A quantile regression forest as plain arrays, evaluated by compiled loops.

Meinshausen 2006 (JMLR 7, 983): the redshifts of the training galaxies that share a leaf with the
one asked about, tree by tree with equal weight, are its distribution. A model is two files:
``forest.npz`` (arrays only) and ``model.json``, its card; scikit-learn is needed for training only.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shared.errors import TocsinError

FOREST_FILE = "forest.npz"
CARD_FILE = "model.json"
FORMAT = 1
LARGEST_BYTES = 1_000_000_000

LEVELS = np.array(
    [0.01, 0.025, 0.05, 0.1, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
     0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.9, 0.95, 0.975, 0.99]
)  # fmt: skip
"""Levels of the quantiles that are given."""
MEDIAN, LOW, HIGH = (int(np.argmin(np.abs(LEVELS - level))) for level in (0.5, 0.16, 0.84))

Floats = npt.NDArray[np.float64]


class PhotoZModelError(TocsinError):
    """A folder holds no photometric-redshift model that can be used; the message says why."""


@njit(cache=True, nogil=True)
def _leaf(row: Any, start: int, nodes: Any) -> int:
    feature, threshold, left, right, missing_left, leaf = nodes
    node = start
    while leaf[node] < 0:
        x = row[feature[node]]
        goes_left = x <= threshold[node] or (missing_left[node] and np.isnan(x))
        node = start + (left[node] if goes_left else right[node])
    return int(leaf[node])


@njit(cache=True, nogil=True)
def _quantiles(
    rows: Any, nodes: Any, starts: Any, leaf_start: Any, redshift: Any, levels: Any
) -> Any:
    found = np.empty((len(rows), len(levels)))
    leaves = np.empty(len(starts), np.int64)
    for i in range(len(rows)):
        total = 0
        for tree in range(len(starts)):
            leaves[tree] = _leaf(rows[i], starts[tree], nodes)
            total += leaf_start[leaves[tree] + 1] - leaf_start[leaves[tree]]
        values, weights = np.empty(total), np.empty(total)
        at = 0
        for tree in range(len(starts)):
            first, last = leaf_start[leaves[tree]], leaf_start[leaves[tree] + 1]
            for k in range(first, last):
                values[at] = redshift[k]
                weights[at] = 1.0 / (last - first)
                at += 1
        order = np.argsort(values)
        below = 0.0
        middle = np.empty(total)
        for k in range(total):
            weight = weights[order[k]] / len(starts)
            middle[k] = below + 0.5 * weight
            below += weight
        found[i] = np.interp(levels, middle, values[order])
    return found


@dataclass(frozen=True, slots=True)
class QuantileForest:
    """Trees, the redshifts in their leaves, and how levels are corrected."""

    feature: npt.NDArray[np.int16]
    """Per node: column it splits on."""
    threshold: npt.NDArray[np.float32]
    """Per node: at or below goes left."""
    left: npt.NDArray[np.int32]
    """Per node: left child, counted from the start of its tree."""
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    """Per node: where a missing value goes."""
    leaf: npt.NDArray[np.int32]
    """Per node: number of its leaf; -1 if it splits."""
    tree_starts: npt.NDArray[np.int32]
    leaf_start: npt.NDArray[np.int64]
    """First redshift of each leaf, and one past the end."""
    redshift: npt.NDArray[np.float32]
    """Training redshifts, leaf by leaf."""
    raw_levels: npt.NDArray[np.float64]
    """Level of the forest's own distribution that is right for each of ``LEVELS``."""
    lowest: npt.NDArray[np.float32]
    highest: npt.NDArray[np.float32]
    """Per feature: range that the training galaxies cover."""

    def quantiles(self, rows: npt.NDArray[np.float32], levels: Floats | None = None) -> Floats:
        """Quantiles of the redshift, increasing.

        Parameters
        ----------
        rows
            Features, shape (n, features), float32; NaN is missing.
        levels
            Of the forest's own distribution; None for the corrected ``LEVELS``.

        Returns
        -------
        Shape (n, levels).
        """
        nodes = (
            self.feature, self.threshold, self.left, self.right, self.missing_left, self.leaf,
        )  # fmt: skip
        wanted = self.raw_levels if levels is None else levels
        found = _quantiles(
            np.ascontiguousarray(rows, dtype=np.float32), nodes, self.tree_starts,
            self.leaf_start, self.redshift, wanted,
        )  # fmt: skip
        return np.asarray(found, dtype=np.float64)

    def covers(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Whether every known feature is in the range of the training, shape (n,)."""
        outside = (rows < self.lowest) | (rows > self.highest)
        return np.asarray(~outside.any(axis=1))

    def to_bytes(self) -> bytes:
        """The content of ``forest.npz``; the same forest gives the same bytes."""
        sink = io.BytesIO()
        np.savez_compressed(sink, **{name: getattr(self, name) for name in self.__slots__})
        return sink.getvalue()


@dataclass(frozen=True, slots=True)
class PhotoZModel:
    """A forest with the card that says what it is."""

    forest: QuantileForest
    bands: tuple[str, ...]
    """Bands in the order of training, blue to red: ``g`` stands for columns ``g_mag`` and
    ``g_mag_err``."""
    catalogs: tuple[str, ...]
    """Catalogs whose photometry it was trained on, and may be used on."""
    version: str
    """First twelve hexadecimal digits of the SHA-256 of ``forest.npz``."""
    card: dict[str, Any]


def save_model(folder: Path, forest: QuantileForest, card: dict[str, Any]) -> str:
    """Write a model; its version. The card, which makes it one, is written last."""
    content = forest.to_bytes()
    identity = hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FOREST_FILE).write_bytes(content)
    whole = {"format": FORMAT, "id": identity, "levels": LEVELS.tolist(), **card}
    (folder / CARD_FILE).write_text(json.dumps(whole, indent=2) + "\n")
    return identity[:12]


def load_model(folder: Path) -> PhotoZModel:
    """Read and verify a model.

    Raises
    ------
    PhotoZModelError
        If the folder holds none, or the forest is not the one its card describes.
    """
    try:
        card = json.loads((folder / CARD_FILE).read_text())
        size = (folder / FOREST_FILE).stat().st_size
        if card["format"] != FORMAT or size > LARGEST_BYTES:
            raise PhotoZModelError(f"{folder}: format {card['format']} is not {FORMAT}; train anew")
        content = (folder / FOREST_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != card["id"]:
            raise PhotoZModelError(f"{folder / FOREST_FILE} is not the forest of {CARD_FILE}")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            forest = QuantileForest(**{n: arrays[n] for n in QuantileForest.__slots__})
        return PhotoZModel(
            forest, tuple(card["bands"]), tuple(card["catalogs"]), str(card["id"][:12]), card
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PhotoZModelError(
            f"{folder} holds no photo-z model: {error}; make one with `tocsin photoz train`"
        ) from error
