"""Features of the alert's place rather than of its light."""

from __future__ import annotations

import numpy as np

from services.classify.features.base import FeatureDefinition, FeatureFamily, FeatureMatrix
from shared.alert_batch import AlertBatch

# ICRS position of the north Galactic pole (Hipparcos catalogue, ESA SP-1200 vol. 1, 1.5.3).
_POLE_RA_DEG = 192.85948
_POLE_DEC_DEG = 27.12825

DEFINITIONS = (
    FeatureDefinition(
        "galactic_latitude_deg", "deg", "Galactic latitude b of the detection, in [-90, 90]."
    ),
)


def compute(batch: AlertBatch) -> FeatureMatrix:
    """Galactic latitude, shape (1, n)."""
    dec, pole_dec = np.radians(batch.dec_deg), np.radians(_POLE_DEC_DEG)
    from_pole = np.radians(batch.ra_deg - _POLE_RA_DEG)
    sine = np.sin(pole_dec) * np.sin(dec) + np.cos(pole_dec) * np.cos(dec) * np.cos(from_pole)
    latitude_deg = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return np.asarray(latitude_deg[np.newaxis, :], dtype=np.float32)


CONTEXT = FeatureFamily("context", DEFINITIONS, compute)
