"""Made-up alerts, seeded: for tests and benchmarks that need a batch and not a telescope."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.schemas.alert import INGESTED, SURVEY_FIELDS, ingested_schema

MADE_UP_FIELDS = pa.struct([pa.field("drb", pa.float32()), pa.field("ndethist", pa.int32())])
"""The made-up survey's own scalars."""


def made_up_batch(
    alerts: int,
    *,
    seed: int = 0,
    survey: str = "ztf",
    first_offset: int = 0,
    points: tuple[int, int] = (1, 40),
    survey_fields: pa.StructType = MADE_UP_FIELDS,
) -> AlertBatch:
    """A valid batch as ingest would write it.

    Parameters
    ----------
    alerts
        How many.
    seed
        Same seed, same batch.
    survey
        Registry name of the survey.
    first_offset
        ``origin_offset`` of the first; ids follow it, so batches of different offsets differ.
    points
        Least and most points of a light curve.
    survey_fields
        The survey's own scalars; all null unless it is the default.
    """
    rng = np.random.default_rng(seed)
    lengths = rng.integers(points[0], points[1] + 1, alerts)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    total = int(offsets[-1])
    serial = np.arange(first_offset, first_offset + alerts)
    mjd = 60_000.0 + rng.uniform(0, 1, alerts)
    age = np.sort(rng.uniform(0, 30, total))[::-1]
    lc_mjd = np.concatenate(
        [m - np.sort(age[a:b])[::-1] for m, a, b in zip(mjd, offsets, offsets[1:], strict=False)]
        or [np.zeros(0)]
    )
    flux = rng.normal(20_000, 5_000, total).astype(np.float32)

    def ragged(values: np.ndarray, type_: pa.DataType) -> pa.Array:
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values, type_))

    columns = {
        "alert_id": pa.array([f"{9_000_000_000 + n}" for n in serial]),
        "survey": pa.array([survey] * alerts),
        "object_id": pa.array([f"ZTF26{n % 997:07d}" for n in serial]),
        "schema_version": pa.array(["4.02"] * alerts),
        "ra_deg": pa.array(rng.uniform(0, 360, alerts)),
        "dec_deg": pa.array(np.degrees(np.arcsin(rng.uniform(-1, 1, alerts)))),
        "healpix29": pa.array(rng.integers(0, 12 * 4**29, alerts)),
        "mjd_tai": pa.array(mjd),
        "emitted_ms": pa.array(np.full(alerts, 1_790_000_000_000)),
        "ingested_ms": pa.array(np.full(alerts, 1_790_000_000_100)),
        "band": pa.array(rng.choice(["g", "r"], alerts)),
        "flux_njy": pa.array(rng.normal(20_000, 5_000, alerts)),
        "flux_err_njy": pa.array(rng.uniform(200, 2_000, alerts)),
        "reliability": pa.array(rng.uniform(0, 1, alerts).astype(np.float32)),
        "is_solar_system": pa.array(rng.uniform(0, 1, alerts) < 0.1),
        "is_simulated": pa.array(np.ones(alerts, dtype=bool)),
        "lc_mjd_tai": ragged(lc_mjd, pa.float64()),
        "lc_flux_njy": ragged(flux, pa.float32()),
        "lc_flux_err_njy": ragged(np.abs(flux) / 20 + 100, pa.float32()),
        "lc_band": ragged(rng.integers(1, 3, total), pa.int8()),
        "lc_kind": ragged(rng.choice([0, 0, 0, 1], total), pa.int8()),
        "origin_topic": pa.array(["ztf_alerts"] * alerts),
        "origin_partition": pa.array(np.zeros(alerts, dtype=np.int32)),
        "origin_offset": pa.array(serial),
    }
    own = _own_fields(survey_fields, alerts, rng)
    arrays = [columns[field.name].cast(field.type) for field in INGESTED] + [own]
    schema = ingested_schema(survey_fields)
    if schema.names[-1] != SURVEY_FIELDS:
        raise AssertionError("survey_fields must come last")
    return AlertBatch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _own_fields(type_: pa.StructType, alerts: int, rng: np.random.Generator) -> pa.StructArray:
    if type_ == MADE_UP_FIELDS:
        values = [
            pa.array(rng.uniform(0, 1, alerts), pa.float32()),
            pa.array(rng.integers(1, 100, alerts), pa.int32()),
        ]
    else:
        values = [pa.nulls(alerts, field.type) for field in type_]
    return pa.StructArray.from_arrays(values, fields=list(type_))
