"""Galactic coordinates of ICRS vectors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FROM_ICRS = np.array(
    [
        [-0.05487565771259163, -0.8734370519556159, -0.48383507361671546],
        [0.4941094371927268, -0.44482972122329517, 0.7469821839866676],
        [-0.8676661375596576, -0.19807633727300059, 0.45598381368730156],
    ]
)
"""Rotation from ICRS to galactic axes, as astropy defines them."""


def galactic_of(vectors: Floats) -> tuple[Floats, Floats, Floats]:
    """Longitude in [0, 360) and latitude, degrees, and the sine of the latitude, shape (n,)."""
    x, y, z = FROM_ICRS @ vectors.T
    longitude = np.degrees(np.arctan2(y, x)) % 360.0
    return longitude, np.degrees(np.arctan2(z, np.hypot(x, y))), np.clip(z, -1.0, 1.0)
