"""Made-up alerts at chosen places and times."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.sky.healpix import healpix29_of
from shared.testing.batches import made_up_batch


def alerts_at(
    ra_deg: Sequence[float],
    dec_deg: Sequence[float],
    mjd_tai: float = 60325.0,
    *,
    is_simulated: bool = False,
    is_solar_system: bool = False,
    first_offset: int = 0,
    lc_mjd_tai: Sequence[Sequence[float]] | None = None,
    lc_kind: Sequence[Sequence[int]] | None = None,
    object_ids: Sequence[str] | None = None,
) -> AlertBatch:
    """Alerts at these places; each light curve is the alert alone, unless it is given."""
    n = len(ra_deg)
    times = lc_mjd_tai or [[mjd_tai]] * n
    kinds = lc_kind or [[0] * len(t) for t in times]
    fluxes = [[100.0] * len(t) for t in times]
    batch = made_up_batch(n, points=(1, 1), first_offset=first_offset).record_batch
    given = {} if object_ids is None else {"object_id": object_ids}
    for name, values in {
        **given,
        "ra_deg": ra_deg,
        "dec_deg": dec_deg,
        "healpix29": healpix29_of(ra_deg, dec_deg),
        "mjd_tai": [mjd_tai] * n,
        "is_simulated": [is_simulated] * n,
        "is_solar_system": [is_solar_system] * n,
        "lc_mjd_tai": times,
        "lc_kind": kinds,
        "lc_flux_njy": fluxes,
        "lc_flux_err_njy": fluxes,
        "lc_band": [[1] * len(t) for t in times],
    }.items():
        index = batch.schema.get_field_index(name)
        field = batch.schema.field(index)
        batch = batch.set_column(index, field, pa.array(values, field.type))
    return AlertBatch(batch)
