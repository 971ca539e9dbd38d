"""Batches of alerts at given positions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.testing.batches import made_up_batch


def alerts_at(positions):
    """A made-up batch whose alerts stand at ``positions``, a list of (RA, Dec) in degrees."""
    batch = made_up_batch(len(positions)).record_batch
    for name, values in zip(("ra_deg", "dec_deg"), np.array(positions).T, strict=True):
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, batch.schema.field(index), pa.array(values))
    return AlertBatch(batch)
