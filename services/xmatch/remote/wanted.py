"""Which alerts matter enough to ask others about: plain functions on batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.alert_batch import AlertBatch
from shared.schemas.classification import OF_TRANSIENTS


@dataclass(frozen=True, slots=True)
class Importance:
    """When an alert matters."""

    brighter_than_mag: float = 18.5
    """AB magnitude of the difference flux, of alerts that are real."""
    least_probability: float = 0.5
    """Of any classifier of transients."""
    least_reliability: float = 0.5
    """The survey's probability that it is real; what is not scored counts as real."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object to ask about, where its alert saw it."""

    survey: str
    object_id: str
    alert_id: str
    ra_deg: float
    dec_deg: float


def matters(batch: AlertBatch, importance: Importance) -> npt.NDArray[np.bool_]:
    """Which alerts are bright, take themselves for transients or belong to an event, shape (n,).

    Nobody is asked about simulated alerts, nor about solar-system bodies, which have moved on.
    """
    reliability = batch.floats("reliability")
    # log10 of 31.4 - m over 2.5: the flux in nanojansky of that magnitude.
    bright_njy = 10.0 ** (0.4 * (31.4 - importance.brighter_than_mag))
    wanted: npt.NDArray[np.bool_] = batch.floats("flux_njy") > bright_njy
    for verdict in OF_TRANSIENTS:
        wanted |= _probability(batch, verdict.name) >= importance.least_probability
    wanted |= _lengths(batch, "associations") > 0
    wanted &= ~(reliability < importance.least_reliability)  # NaN counts as real
    wanted &= ~_flags(batch, "is_simulated")
    return wanted & ~_flags(batch, "is_solar_system")


def wanted_of(batch: AlertBatch, importance: Importance) -> list[Wanted]:
    """The alerts that matter; of several of one object the last."""
    chosen = batch.rows(matters(batch, importance)).record_batch
    names = ("survey", "object_id", "alert_id", "ra_deg", "dec_deg")
    rows: list[dict[str, Any]] = chosen.select(list(names)).to_pylist()
    by_object = {(row["survey"], row["object_id"]): Wanted(**row) for row in rows}
    return list(by_object.values())


def _has(batch: AlertBatch, name: str) -> bool:
    return name in batch.record_batch.schema.names


def _flags(batch: AlertBatch, name: str) -> npt.NDArray[np.bool_]:
    filled = pc.fill_null(batch.column(name), False)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _probability(batch: AlertBatch, name: str) -> npt.NDArray[np.float64]:
    """A verdict's probability, NaN where it abstained or the column is not there."""
    if not _has(batch, name):
        return np.full(len(batch), np.nan)
    probability: pa.Array = pc.struct_field(batch.column(name), "probability")
    return np.asarray(probability.to_numpy(zero_copy_only=False), dtype=np.float64)


def _lengths(batch: AlertBatch, name: str) -> npt.NDArray[np.int64]:
    if not _has(batch, name):
        return np.zeros(len(batch), np.int64)
    return np.asarray(pc.fill_null(pc.list_value_length(batch.column(name)), 0), dtype=np.int64)
