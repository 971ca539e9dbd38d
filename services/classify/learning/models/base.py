"""The contract of a model that learns on the stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
"""Shape (n, features); NaN is missing."""
Labels = npt.NDArray[np.int64]
"""Shape (n,): index of the class."""
Probabilities = npt.NDArray[np.float64]
"""Shape (n, classes), rows sum to one."""
Arrays = dict[str, npt.NDArray[Any]]


class StreamModel(Protocol):
    """Sees labelled chunks in order of time and answers in between."""

    def learn(self, rows: Rows, label: Labels) -> None:
        """Take in a chunk of any size, down to a single example."""

    def probabilities(self, rows: Rows) -> Probabilities:
        """Of every class; even ones before anything was learnt."""


class SavedModel(StreamModel, Protocol):
    """A model whose state can be saved: after loading it goes on as if nothing had happened."""

    def arrays(self) -> Arrays:
        """The whole state, as arrays of numbers."""

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take the state over; raises ``KeyError`` or ``ValueError`` if it is not one."""


def even(n: int, classes: int) -> Probabilities:
    """What is answered before anything was learnt."""
    return np.full((n, classes), 1.0 / classes)


def spread(found: Probabilities, known: Labels, classes: int) -> Probabilities:
    """Probabilities of all classes, from those of the classes ``known`` to a model."""
    full = np.zeros((len(found), classes))
    full[:, known] = found
    return full


def generator_state(rng: np.random.Generator) -> npt.NDArray[np.uint64]:
    """The state of a PCG64 generator, shape (6,)."""
    state: dict[str, Any] = dict(rng.bit_generator.state)
    low = 2**64 - 1
    numbers = [part for n in ("state", "inc") for part in _halves(state["state"][n], low)]
    return np.array([*numbers, state["has_uint32"], state["uinteger"]], dtype=np.uint64)


def _halves(number: int, low: int) -> tuple[int, int]:
    return number >> 64, number & low


def generator_from(saved: npt.NDArray[np.uint64]) -> np.random.Generator:
    """The inverse of ``generator_state``."""
    a, b, c, d, has, last = (int(one) for one in saved)
    bits = np.random.PCG64()
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": (a << 64) | b, "inc": (c << 64) | d},
        "has_uint32": has,
        "uinteger": last,
    }
    return np.random.Generator(bits)
