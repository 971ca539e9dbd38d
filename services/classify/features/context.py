"""Features of the alert's place rather than of its light."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from services.classify.features.base import FeatureDefinition, FeatureFamily, FeatureMatrix
from shared.alert_batch import AlertBatch

# ICRS position of the north Galactic pole (Hipparcos catalogue, ESA SP-1200 vol. 1, 1.5.3).
_POLE_RA_DEG = 192.85948
_POLE_DEC_DEG = 27.12825

DEFINITIONS = (
    FeatureDefinition(
        "galactic_latitude_deg", "deg", "Galactic latitude b of the detection, in [-90, 90]."
    ),
    FeatureDefinition(
        "host_redshift", "", "Redshift of the nearest matched catalog source that has one."
    ),
)


def galactic_latitude_deg(
    ra_deg: npt.NDArray[np.float64], dec_deg: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Galactic latitude of ICRS positions, same shape, in [-90, 90]."""
    dec, pole_dec = np.radians(dec_deg), np.radians(_POLE_DEC_DEG)
    from_pole = np.radians(ra_deg - _POLE_RA_DEG)
    sine = np.sin(pole_dec) * np.sin(dec) + np.cos(pole_dec) * np.cos(dec) * np.cos(from_pole)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))), dtype=np.float64)


def host_redshift(batch: AlertBatch) -> npt.NDArray[np.float64]:
    """Redshift of the nearest match that has one, shape (n,), NaN where none or xmatch has not run.

    Negative and zero redshifts are of stars, or of the Local Group: they date nothing.
    """
    redshift = np.full(len(batch), np.nan)
    if batch.record_batch.schema.get_field_index("matches") < 0:
        return redshift
    matches = batch.column("matches")
    sources = pc.list_flatten(matches)
    if len(sources) == 0:
        return redshift
    values = pc.struct_field(sources, "redshift").to_numpy(zero_copy_only=False)
    parents = pc.list_parent_indices(matches).to_numpy(zero_copy_only=False)
    known = np.flatnonzero(values > 0.0)[::-1]  # nearest come first: write them last
    redshift[parents[known]] = values[known]
    return redshift


def compute(batch: AlertBatch) -> FeatureMatrix:
    """Galactic latitude and host redshift, shape (2, n)."""
    latitude = galactic_latitude_deg(batch.ra_deg, batch.dec_deg)
    return np.stack([latitude, host_redshift(batch)]).astype(np.float32)


CONTEXT = FeatureFamily("context", DEFINITIONS, compute)
