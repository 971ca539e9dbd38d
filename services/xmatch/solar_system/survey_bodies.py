"""The known body a survey itself names, from ``survey_fields``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.schemas.alert import SURVEY_FIELDS

NAME_AND_SEPARATION: dict[str, tuple[str, str]] = {
    "ztf": ("ssnamenr", "ssdistnr"),
    "lsst": ("designation", "ephOffset"),
}
"""By survey: the fields with a body's name and its distance in arcseconds."""


def survey_bodies(batch: AlertBatch) -> tuple[npt.NDArray[np.bool_], pa.Array, pa.Array]:
    """Where the survey says a known body is, the body's name, and its distance.

    Returns
    -------
    A mask, names (string, null where it does not say) and separations (float32, arcseconds,
    null where it does not say), shape (n,). The rule for *here* is ingest's.
    """
    n = len(batch)
    here = batch.column("is_solar_system").to_numpy(zero_copy_only=False).astype(bool)
    name, separation = NAME_AND_SEPARATION.get(batch.survey if n else "", ("", ""))
    fields = batch.column(SURVEY_FIELDS)
    given = {
        member: fields.field(fields.type.get_field_index(member))
        for member in (name, separation)
        if fields.type.get_field_index(member) >= 0
    }
    names = given.get(name, pa.nulls(n)).cast(pa.string())
    apart = given.get(separation, pa.nulls(n)).cast(pa.float32())
    return here, names, apart
