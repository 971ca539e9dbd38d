"""Made-up alerts as they leave the mesh, with every published column, for tests and benches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.schemas.alert import SURVEY_FIELDS
from shared.schemas.classification import FEATURES
from shared.schemas.fields import column
from shared.schemas.published import PUBLISHED

SURVEY_STRUCTS: dict[str, pa.StructType] = {
    "ztf": pa.struct(
        [
            pa.field("drb", pa.float32()),
            pa.field("fid", pa.int32()),
            pa.field("isdiffpos", pa.string()),
            pa.field("programid", pa.int64()),
        ]
    ),
    "lsst": pa.struct([pa.field("snr", pa.float64()), pa.field("isDipole", pa.bool_())]),
}
"""A few of each survey's own scalars, one of every Avro type."""

_CURVE_COLUMNS = ("lc_mjd_tai", "lc_flux_njy", "lc_flux_err_njy", "lc_band", "lc_kind")
FEATURES_STRUCT = pa.struct([column("rise_rate", pa.float32(), "Made up.", null="not measured")])


def published_batch(
    alerts: int,
    *,
    survey: str = "ztf",
    seed: int = 0,
    points: int = 30,
    first_offset: int = 0,
    changes: Mapping[str, Sequence[Any]] | None = None,
) -> AlertBatch:
    """A batch of ``alerts`` made-up alerts, the same for the same ``seed``.

    Parameters
    ----------
    alerts
        How many.
    survey
        ``ztf`` or ``lsst``.
    seed
        Of the random numbers.
    points
        Mean number of light-curve points.
    first_offset
        Origin offset of the first alert; alert ids follow it.
    changes
        Columns to take from here instead, by name.
    """
    rng = np.random.default_rng(seed)
    columns = {
        name: list(values) for name, values in _columns(rng, alerts, survey, points, first_offset)
    }
    columns.update({name: list(values) for name, values in (changes or {}).items()})
    open_types = {SURVEY_FIELDS: SURVEY_STRUCTS[survey], FEATURES: FEATURES_STRUCT}
    fields = [f.with_type(open_types.get(f.name, f.type)) for f in PUBLISHED]
    arrays = [pa.array(columns.get(f.name, [None] * alerts), f.type) for f in fields]
    return AlertBatch(pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)))


def _columns(
    rng: np.random.Generator, alerts: int, survey: str, points: int, first_offset: int
) -> list[tuple[str, Sequence[Any]]]:
    offsets = range(first_offset, first_offset + alerts)
    flux = rng.lognormal(9.5, 1.5, alerts) * rng.choice([1, 1, 1, -1], alerts)
    curves = [_curve(rng, n) for n in rng.poisson(points, alerts) + 1]
    fields: list[dict[str, Any]] = [
        {"drb": float(x), "fid": 1, "isdiffpos": "t", "programid": 1, "snr": 9.5, "isDipole": False}
        for x in rng.random(alerts)
    ]
    return [
        ("alert_id", [str(2_000_000_000 + i) for i in offsets]),
        ("survey", [survey] * alerts),
        ("object_id", [f"ZTF26{i % 5000:07d}" for i in offsets]),
        ("schema_version", ["4.02"] * alerts),
        ("ra_deg", rng.uniform(0, 360, alerts).tolist()),
        ("dec_deg", np.degrees(np.arcsin(rng.uniform(-0.5, 1, alerts))).tolist()),
        ("healpix29", rng.integers(0, 12 * 4**29, alerts).tolist()),
        ("mjd_tai", [61_000.0 + 0.3 * i / max(alerts, 1) for i in range(alerts)]),
        ("emitted_ms", [1_795_000_000_000 + i for i in range(alerts)]),
        ("ingested_ms", [1_795_000_000_200 + i for i in range(alerts)]),
        ("band", rng.choice(["g", "r"], alerts).tolist()),
        ("flux_njy", flux.tolist()),
        ("flux_err_njy", (np.abs(flux) / 10).tolist()),
        ("reliability", rng.random(alerts).tolist()),
        ("is_solar_system", (rng.random(alerts) < 0.2).tolist()),
        ("is_simulated", [True] * alerts),
        *((name, [curve[name] for curve in curves]) for name in _CURVE_COLUMNS),
        ("origin_topic", [f"{survey}_alerts"] * alerts),
        ("origin_partition", [0] * alerts),
        ("origin_offset", list(offsets)),
        (SURVEY_FIELDS, fields),
        ("matches", [_matches(rng) for _ in range(alerts)]),
        ("galactic_latitude_deg", rng.uniform(-90, 90, alerts).tolist()),
        (FEATURES, [{"rise_rate": float(x)} for x in rng.normal(0, 1, alerts)]),
        ("feature_version", ["1"] * alerts),
        ("early_sn_ia", [_verdict(float(x)) for x in rng.random(alerts)]),
        ("associations", [[] for _ in range(alerts)]),
    ]


def _curve(rng: np.random.Generator, points: int) -> dict[str, list[Any]]:
    kind = rng.choice([DETECTION, FORCED, UPPER_LIMIT], points, p=[0.5, 0.2, 0.3])
    kind[-1] = DETECTION
    flux = np.where(kind == UPPER_LIMIT, np.nan, rng.normal(10_000, 3_000, points))
    return {
        "lc_mjd_tai": (61_000.3 - np.arange(points)[::-1] * 1.5).tolist(),
        "lc_flux_njy": flux.tolist(),
        "lc_flux_err_njy": rng.uniform(300, 900, points).tolist(),
        "lc_band": rng.choice([1, 2], points).tolist(),
        "lc_kind": kind.tolist(),
    }


def _matches(rng: np.random.Generator) -> list[dict[str, Any]]:
    galaxy = {"catalog": "openngc", "source_id": "NGC7814", "source_class": "G"}
    star = {"catalog": "gcvs", "source_id": "SS Cyg", "source_class": "UGSS"}
    near = [
        {**source, "catalog_version": "1", "separation_arcsec": float(rng.uniform(0, 60))}
        for source in (galaxy, star)
        if rng.random() < 0.3
    ]
    return sorted(near, key=lambda match: match["separation_arcsec"])


def _verdict(probability: float) -> dict[str, Any]:
    if probability < 0.5:
        return {"probability": None, "reason": "too_few_points", "model_version": "0" * 12}
    return {"probability": probability, "reason": "ok", "model_version": "0" * 12}
