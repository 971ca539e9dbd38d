"""The contract of a dust map."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.errors import TocsinError


class DustMapError(TocsinError):
    """A file is not a dust map that can be read; the message says why and how to mend it."""


class DustMap(Protocol):
    """E(B-V) of the whole line of sight through the Milky Way."""

    def ebv_mag(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """E(B-V), magnitudes, NaN where the map has a hole, shape (n,).

        Parameters
        ----------
        vectors
            ICRS unit vectors, shape (n, 3).
        """
        ...
