"""The contract of a feature: a name, a unit, a definition, and one row of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.alert_batch import AlertBatch

FeatureMatrix = npt.NDArray[np.float32]
"""Shape (features, alerts), one row per feature in order of definition; NaN is missing."""


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """What one feature is."""

    name: str
    """Snake case, with the unit as a suffix where there is one; never changes its meaning."""
    unit: str
    """Astropy-style unit, empty for a pure number."""
    definition: str
    """One sentence that would let a stranger compute it."""


@dataclass(frozen=True, slots=True)
class FeatureFamily:
    """Features that are computed together."""

    name: str
    definitions: tuple[FeatureDefinition, ...]
    compute: Callable[[AlertBatch], FeatureMatrix]
    """Batch to matrix, shape (len(definitions), len(batch)). It sees an alert's own columns only:
    the true class of a simulated object is in none of them."""
    published: bool = True
    """Whether they travel with the alert; the others serve the classifiers and can be had from
    ``tocsin classify FILE --features OUT``."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a batch of alerts."""

    names: tuple[str, ...]
    values: FeatureMatrix

    def of(self, name: str) -> npt.NDArray[np.float32]:
        """Feature ``name`` of every alert, shape (n,); raises ``ValueError`` if there is none."""
        row: npt.NDArray[np.float32] = self.values[self.names.index(name)]
        return row
