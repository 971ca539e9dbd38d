"""Has the stream changed? Detectors on the model's error, and on the features themselves.

ADWIN (Bifet & Gavalda 2007) watches 0/1 errors and log-losses as labels arrive; it is river's.
Features are compared with a reference sample without labels: the Kolmogorov-Smirnov distance, and
the population stability index over the reference's deciles (0.1 is noticeable, 0.25 is a change).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classify.learning.models.base import Labels, Probabilities, Rows

PSI_ALARM = 0.25
KS_ALARM = 0.2
"""Both must be passed: with many rows a significant distance may be a small one."""
_BINS = 10
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far one feature is from its reference."""

    name: str
    ks: float
    """Greatest difference of the two cumulative distributions, in [0, 1]."""
    psi: float
    """Population stability index; missing values are a bin of their own."""

    @property
    def is_alarm(self) -> bool:
        """Whether it has changed."""
        return self.ks > KS_ALARM and self.psi > PSI_ALARM


def feature_drift(reference: Rows, now: Rows, names: tuple[str, ...]) -> list[FeatureDrift]:
    """Every feature's drift, the greatest first.

    Parameters
    ----------
    reference, now
        Shape (n, features) and (m, features); NaN is missing.
    names
        Of the features.
    """
    found = [
        FeatureDrift(name, *_distances(reference[:, k], now[:, k])) for k, name in enumerate(names)
    ]
    return sorted(found, key=lambda one: -one.psi)


def _distances(
    reference: npt.NDArray[np.float32], now: npt.NDArray[np.float32]
) -> tuple[float, float]:
    old, new = (np.sort(x[np.isfinite(x)]) for x in (reference, now))
    ks = 0.0
    edges = np.zeros(0)
    if len(old) and len(new):
        at = np.concatenate([old, new])
        below = [np.searchsorted(x, at, side="right") / len(x) for x in (old, new)]
        ks = float(np.abs(below[0] - below[1]).max())
        edges = np.unique(np.quantile(old, np.linspace(0, 1, _BINS + 1)[1:-1]))
    shares = []
    for known, total in ((old, len(reference)), (new, len(now))):
        counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
        counts = np.append(counts, total - len(known))
        shares.append(np.maximum(counts / max(total, 1), _LEAST_SHARE))
    psi = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
    return ks, psi


class ErrorDrift:
    """ADWIN on the 0/1 error and on the log-loss."""

    def __init__(self, delta: float = 0.002) -> None:
        from river import drift  # noqa: PLC0415  # slow to import

        adwin: Any = drift.ADWIN  # without types
        self._detectors = {name: adwin(delta=delta) for name in ("error", "log_loss")}
        self.alarms: list[tuple[int, str]] = []
        """Number of the example that gave the alarm, and which detector it was."""
        self._seen = 0

    def add(self, label: Labels, probabilities: Probabilities) -> list[str]:
        """Take judged examples in, in order; the detectors that gave an alarm."""
        own = np.clip(probabilities[np.arange(len(label)), label], 1e-3, 1.0)
        values = {"error": (probabilities.argmax(axis=1) != label) * 1.0, "log_loss": -np.log(own)}
        raised = []
        for k in range(len(label)):
            for name, detector in self._detectors.items():
                before = detector.estimation
                detector.update(float(values[name][k]))
                if detector.drift_detected and detector.estimation > before:
                    self.alarms.append((self._seen + k, name))
                    raised.append(name)
        self._seen += len(label)
        return raised
