"""The contract of a filter written in Python."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class PythonFilter(Protocol):
    """One implementation per file, and one line in the registry."""

    @property
    def name(self) -> str:
        """Registry name: snake_case, never changed once published."""
        ...

    def wants(self, alerts: pa.Table) -> npt.NDArray[np.bool_]:
        """Which alerts are wanted, shape (n,): vectorised, no state, no network.

        Parameters
        ----------
        alerts
            The published columns of n alerts of one survey, n > 0.
        """
        ...
