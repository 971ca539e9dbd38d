"""Multi-layer perceptrons that learn each chunk together with a sample of the past.

Without the past it forgets what is not in season: on SNPCC its hold-out accuracy falls from .90 to
.80 (docs/learning.md). ``scikit-learn``'s ``partial_fit`` does the learning, Adam (Kingma & Ba
2015) and all; the state is saved as arrays, and answering needs none of it (``answer``). Two of
different beginnings answer together: their mean is better than one of twice the width.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neural_network import MLPClassifier

from services.classify.learning.models.base import (
    Arrays,
    Labels,
    Probabilities,
    Rows,
    even,
    generator_from,
    generator_state,
)
from services.classify.learning.reservoir import Reservoir
from services.classify.learning.scaling import RunningScale

_SHORT = 50
"""A chunk of fewer examples is a short one."""
_SINGLE, _WITH_SINGLE = 5, 31
"""So few examples are learnt once, with so many past ones."""
_LEAST_MINIBATCH = 16


@dataclass(frozen=True, slots=True)
class PerceptronOptions:
    """How it learns."""

    members: int = 2
    """Networks whose answers are averaged."""
    hidden: tuple[int, ...] = (128, 64)
    learning_rate: float = 2e-3
    alpha: float = 1e-3
    """L2 penalty."""
    capacity: int = 6_000
    """Examples in the reservoir; 0 forgets all."""
    replay: float = 2.0
    """Past examples learnt with each new one, and at least ``least_replay`` with each chunk."""
    least_replay: int = 96
    passes: int = 2
    """Passes over a chunk; twice as many over a short one."""
    minibatch: int = 128
    """Most examples in a step; fewer if that would make less than six steps."""


class Perceptron:
    """The model, its scale and its reservoir."""

    def __init__(
        self, features: int, classes: int, seed: int, options: PerceptronOptions | None = None
    ) -> None:
        self.options = options or PerceptronOptions()
        self._classes = classes
        self._rng = np.random.default_rng(seed)
        self.scale = RunningScale(features)
        self._past = Reservoir(self.options.capacity, features)
        self._networks = [
            MLPClassifier(
                self.options.hidden,
                learning_rate_init=self.options.learning_rate,
                alpha=self.options.alpha,
                random_state=seed * self.options.members + k,
            )
            for k in range(self.options.members)
        ]
        self._is_new = True

    def learn(self, rows: Rows, label: Labels) -> None:
        """Learn a chunk and a sample of the past, then put the chunk in the reservoir."""
        if not len(label):
            return
        self.scale.learn(rows)
        passes, size = self._pace(len(label))
        for network in self._networks:
            for _ in range(passes):
                old_rows, old_label = self._past.sample(size, self._rng)
                x = self.scale.scaled(np.concatenate([rows, old_rows]))
                y = np.concatenate([label, old_label])
                order = self._rng.permutation(len(y))
                self._fit(network, x[order], y[order])
        self._is_new = False
        if self.options.capacity:
            self._past.add(rows, label, self._rng)

    def _pace(self, examples: int) -> tuple[int, int]:
        """Passes over a chunk, and past examples in each: a step costs the same for one or many."""
        if examples < _SINGLE:
            return 1, _WITH_SINGLE
        size = max(int(self.options.replay * examples), self.options.least_replay)
        return self.options.passes * (2 if examples < _SHORT else 1), size

    def _fit(self, network: MLPClassifier, x: npt.NDArray[np.float64], y: Labels) -> None:
        size = min(max(len(y) // 6, _LEAST_MINIBATCH), self.options.minibatch, len(y))
        network.set_params(batch_size=size)
        if hasattr(network, "coefs_"):
            network.partial_fit(x, y)
        else:
            network.partial_fit(x, y, classes=np.arange(self._classes))

    def probabilities(self, rows: Rows) -> Probabilities:
        """Of every class."""
        if self._is_new:
            return even(len(rows), self._classes)
        x = self.scale.scaled(rows)
        found = [forward(x, one.coefs_, one.intercepts_) for one in self._networks]
        return np.asarray(np.mean(found, axis=0))

    def arrays(self) -> Arrays:
        """Weights, moments, scale, reservoir and generators."""
        state = {
            **self.scale.arrays(),
            **self._past.arrays(),
            "classes": np.array([self._classes]),
            "generator": generator_state(self._rng),
            "learnt": np.array([0 if self._is_new else 1]),
        }
        if not self._is_new:
            for k, network in enumerate(self._networks):
                state |= {f"network.{k}.{name}": one for name, one in _state_of(network).items()}
        return state

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take a saved state over."""
        features = len(arrays["scale.mean"])
        self._classes = int(arrays["classes"][0])
        self.scale = RunningScale.from_arrays(arrays)
        self._past = Reservoir.from_arrays(arrays)
        self._rng = generator_from(arrays["generator"])
        if not arrays["learnt"][0]:
            return
        self._is_new = False
        for k, network in enumerate(self._networks):
            # One step on nothing makes every array the network and its optimiser have.
            self._fit(network, np.zeros((self._classes, features)), np.arange(self._classes))
            _take_over(network, arrays, f"network.{k}.")


def _state_of(network: MLPClassifier) -> Arrays:
    adam = network._optimizer  # scikit-learn shows it nowhere else
    state = {f"{kind}.{k}": a for kind, own in _layers(network) for k, a in enumerate(own)}
    _, keys, place, has_gauss, gauss = network._random_state.get_state()
    state["steps"] = np.array([adam.t, network.t_])
    state["generator_keys"] = keys
    state["generator"] = np.array([place, has_gauss, gauss])
    return state


def _take_over(network: MLPClassifier, arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> None:
    for kind, own in _layers(network):
        for k, value in enumerate(own):
            value[...] = arrays[f"{prefix}{kind}.{k}"]
    network._optimizer.t, network.t_ = (int(one) for one in arrays[f"{prefix}steps"])
    place, has_gauss, gauss = arrays[f"{prefix}generator"]
    keys = arrays[f"{prefix}generator_keys"]
    network._random_state.set_state(("MT19937", keys, int(place), int(has_gauss), float(gauss)))


def _layers(network: MLPClassifier) -> tuple[tuple[str, list[npt.NDArray[np.float64]]], ...]:
    adam = network._optimizer
    return (
        ("weight", network.coefs_),
        ("bias", network.intercepts_),
        ("first_moment", adam.ms),
        ("second_moment", adam.vs),
    )


def forward(
    x: npt.NDArray[np.float64],
    weights: list[npt.NDArray[np.float64]],
    biases: list[npt.NDArray[np.float64]],
) -> Probabilities:
    """Rectified layers and a softmax (a logistic function of two classes)."""
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        x = np.maximum(x @ weight + bias, 0.0)
    z = x @ weights[-1] + biases[-1]
    if z.shape[1] == 1:
        z = np.concatenate([np.zeros_like(z), z], axis=1)
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def answer(arrays: Mapping[str, npt.NDArray[Any]], rows: Rows) -> Probabilities:
    """What a saved perceptron says, with NumPy alone; raises ``KeyError`` if it is none."""
    if not arrays["learnt"][0]:
        return even(len(rows), int(arrays["classes"][0]))
    x = RunningScale.from_arrays(arrays).scaled(rows)
    found: list[Probabilities] = []
    for k in itertools.count():
        own = f"network.{k}."
        layers = sum(name.startswith(f"{own}weight.") for name in arrays)
        if not layers:
            return np.asarray(np.mean(found, axis=0))
        weights, biases = (
            [arrays[f"{own}{kind}.{n}"] for n in range(layers)] for kind in ("weight", "bias")
        )
        found.append(forward(x, weights, biases))
    raise AssertionError("there is an end to the networks of a model")
