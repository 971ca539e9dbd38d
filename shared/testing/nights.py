"""Made-up nights of alerts as tables, their cells true to their positions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.archive.nights import NOON
from shared.sky.healpix import healpix29_of
from shared.testing.batches import made_up_batch


def made_up_night(night: int, alerts: int, *, seed: int = 0, survey: str = "ztf") -> pa.Table:
    """Alerts of one night; their names differ from seed to seed."""
    batch = made_up_batch(alerts, seed=seed, first_offset=seed * 1_000_000, survey=survey)
    table = pa.Table.from_batches([batch.record_batch])
    cells = healpix29_of(table["ra_deg"].to_numpy(), table["dec_deg"].to_numpy())
    mjd_tai = night + NOON + np.random.default_rng(seed).uniform(0.2, 0.6, alerts)
    for name, values in (("healpix29", cells), ("mjd_tai", mjd_tai)):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values))
    return table
