"""Pairs of an alert and an event, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Matches:
    """``m`` pairs of an alert and an event, ordered by alert, best credible level first."""

    row: npt.NDArray[np.intp]
    """Shape (m,): row of the alert."""
    event: npt.NDArray[np.intp]
    """Shape (m,): index of the event in the snapshot."""
    credible_level: npt.NDArray[np.float64]
    """Shape (m,), in [0, 1]."""
    separation_deg: npt.NDArray[np.float64]
    """Shape (m,), degrees; NaN where the event has a sky map."""
    time_offset_days: npt.NDArray[np.float64]
    """Shape (m,): first detection minus event time."""

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.row)
