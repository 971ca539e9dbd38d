"""Alerts with light curves written out point by point, for tests computed by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.light_curves.bands import BAND_CODES
from shared.testing.batches import made_up_batch

Point = tuple[float, str, float, float, int]
"""Time (MJD, TAI), band, flux (nJy), error (nJy), kind."""


def batch_of_curves(curves: Sequence[Sequence[Point]]) -> AlertBatch:
    """One alert per curve; the alert's own flux and time are those of its last point.

    None of them is a solar-system body; all else is as ``made_up_batch`` makes it.
    """
    batch = made_up_batch(len(curves), points=(1, 1)).record_batch
    replaced = {
        "lc_mjd_tai": [[p[0] for p in curve] for curve in curves],
        "lc_band": [[BAND_CODES[p[1]] for p in curve] for curve in curves],
        "lc_flux_njy": [[p[2] for p in curve] for curve in curves],
        "lc_flux_err_njy": [[p[3] for p in curve] for curve in curves],
        "lc_kind": [[p[4] for p in curve] for curve in curves],
        "mjd_tai": [curve[-1][0] for curve in curves],
        "flux_njy": [curve[-1][2] for curve in curves],
        "is_solar_system": [False] * len(curves),
    }
    for name, values in replaced.items():
        at = batch.schema.get_field_index(name)
        field = batch.schema.field(at)
        batch = batch.set_column(at, field, pa.array(values, field.type))
    return AlertBatch(batch)
