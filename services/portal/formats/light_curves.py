"""A light curve as a table with units."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from services.portal.formats.tables import field_of
from shared.archive.history import LightCurve
from shared.archive.history_json import KINDS
from shared.light_curves.bands import BANDS
from shared.light_curves.photometry import magnitude_ab_of

FIELDS = (
    field_of("mjd_tai", pa.float64(), "Mid-exposure, MJD, TAI", unit="d", ucd="time.epoch"),
    field_of("band", pa.string(), "Optical passband", ucd="meta.id;instr.filter"),
    field_of("kind", pa.string(), "detection, forced or upper_limit", ucd="meta.code"),
    field_of("flux_njy", pa.float64(), "PSF flux on the difference image, AB; null for an upper "
             "limit", unit="nJy", ucd="phot.flux.density"),
    field_of("flux_err_njy", pa.float64(), "One sigma of it; of an upper limit, a fifth of the "
             "5-sigma limit", unit="nJy", ucd="stat.error;phot.flux.density"),
    field_of("magnitude_ab", pa.float64(), "AB magnitude of a positive flux", unit="mag",
             ucd="phot.mag"),
)  # fmt: skip


def light_curve_table(curve: LightCurve) -> pa.Table:
    """One row per point, in order of time."""
    columns = [
        pa.array(curve.mjd_tai),
        pa.array([BANDS[code] if code >= 0 else None for code in curve.band.tolist()], pa.string()),
        pa.array([KINDS[code] for code in curve.kind.tolist()], pa.string()),
        _finite(curve.flux_njy),
        _finite(curve.flux_err_njy),
        _finite(magnitude_ab_of(curve.flux_njy)),
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(FIELDS))


def _finite(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))
