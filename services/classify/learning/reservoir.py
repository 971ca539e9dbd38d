"""A reservoir: a fixed number of past examples, each as likely to be in it as any other.

Vitter 1985, algorithm R (ACM TOMS 11, 37). What a model learns again with every chunk, so that it
does not forget.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


class Reservoir:
    """At most ``capacity`` rows with their labels; memory does not grow with the stream."""

    def __init__(self, capacity: int, features: int) -> None:
        self._rows = np.zeros((capacity, features), dtype=np.float32)
        self._label = np.zeros(capacity, dtype=np.int64)
        self.seen = 0
        """Examples offered so far."""

    def __len__(self) -> int:
        """How many are held."""
        return min(self.seen, len(self._rows))

    def add(self, rows: Rows, label: Labels, rng: np.random.Generator) -> None:
        """Offer rows, shape (n, features), with their labels, shape (n,)."""
        capacity = len(self._rows)
        for row, one in zip(rows, label, strict=True):
            place = self.seen if self.seen < capacity else int(rng.integers(self.seen + 1))
            if place < capacity:
                self._rows[place], self._label[place] = row, one
            self.seen += 1

    def sample(self, size: int, rng: np.random.Generator) -> tuple[Rows, Labels]:
        """At most ``size`` different examples that are held."""
        rows = rng.permutation(len(self))[:size]
        return self._rows[rows], self._label[rows]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state, to be saved."""
        return {
            "reservoir.rows": self._rows,
            "reservoir.label": self._label,
            "reservoir.seen": np.array([self.seen]),
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Reservoir:
        """The inverse of ``arrays``; raises ``KeyError``."""
        kept = Reservoir(*arrays["reservoir.rows"].shape)
        kept._rows[:] = arrays["reservoir.rows"]  # its own class
        kept._label[:] = arrays["reservoir.label"]
        kept.seen = int(arrays["reservoir.seen"][0])
        return kept
