"""What a survey must say of itself, and the parts that every survey's conversion shares.

A survey is one file: which schemas are its own, what is wanted of them, and a function from
decoded columns to the columns of the alert. It works on whole batches and decides nothing
about Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.ingest.avro import Decoded, Projection
from services.ingest.avro import instructions as op
from services.ingest.avro.columns import typed
from services.ingest.light_curves import EARLIEST_MJD, LARGEST_FLUX_NJY, LATEST_MJD
from shared.light_curves.bands import BANDS

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Refusal:
    """Packets of a batch that decode but make no sound alert."""

    rows: Mask
    """Shape (n,)."""
    reason: str
    """Short snake_case word to count by."""
    detail: Callable[[int], str]
    """What is wrong with one row."""


@dataclass(frozen=True)
class SurveyAlerts:
    """What a survey makes of ``n`` decoded packets; NaN and null mean: the survey does not say."""

    alert_id: pa.Array
    object_id: pa.Array
    schema_version: pa.Array
    ra_deg: Floats
    dec_deg: Floats
    mjd_tai: Floats
    band: npt.NDArray[np.int64]
    """Band codes, -1 for none of ``BANDS``."""
    flux_njy: Floats
    flux_err_njy: Floats
    reliability: Floats
    is_solar_system: Mask
    is_simulated: Mask
    light_curve: Mapping[str, pa.Array]
    """The ``lc_`` columns."""
    survey_fields: pa.StructArray
    refusals: tuple[Refusal, ...]
    """Beyond those of ``common_refusals``."""


@dataclass(frozen=True)
class Survey:
    """One survey whose packets Tocsin reads."""

    name: str
    """Registry key, and the ``survey`` column of its alerts."""
    version_of: Callable[[str, Mapping[str, Any]], str | None]
    """Schema version by the schema's full name and body; None if it is not this survey's.
    Raises ``RejectedRecordError`` (``unsupported_schema``) for its own schemas it cannot read."""
    projection: Projection
    survey_fields: pa.DataType
    """Arrow struct of the survey's own scalars, every member nullable."""
    to_alerts: Callable[[Decoded, str], SurveyAlerts]
    """Decoded packets and the schema's version to alerts, row by row the same."""


def common_refusals(alerts: SurveyAlerts) -> tuple[Refusal, ...]:
    """What no survey may send: no place on the sky, no plausible time, an infinite flux."""
    ra, dec, mjd = alerts.ra_deg, alerts.dec_deg, alerts.mjd_tai
    flux, err = alerts.flux_njy, alerts.flux_err_njy
    with np.errstate(invalid="ignore"):
        placed = (ra >= 0.0) & (ra <= 360.0) & (dec >= -90.0) & (dec <= 90.0)
        timely = (mjd > EARLIEST_MJD) & (mjd < LATEST_MJD)
        bright = (np.abs(flux) >= LARGEST_FLUX_NJY) | (err >= LARGEST_FLUX_NJY) | (err < 0.0)
    no_id = np.zeros(len(ra), np.bool_)
    for ids in (alerts.alert_id, alerts.object_id):
        if ids.null_count:
            no_id |= ids.is_null().to_numpy(zero_copy_only=False)
    return (
        Refusal(no_id, "no_identifier", lambda _: "the packet names no alert or no object"),
        Refusal(~placed, "bad_position", lambda i: f"ra {ra[i]}, dec {dec[i]} degrees"),
        Refusal(
            ~timely,
            "implausible_time",
            lambda i: f"MJD {mjd[i]} (TAI) is not within {EARLIEST_MJD:.0f} and {LATEST_MJD:.0f}",
        ),
        Refusal(bright, "bad_flux", lambda i: f"flux {flux[i]} +- {err[i]} nJy"),
    )


def band_names(codes: npt.NDArray[np.int64]) -> pa.Array:
    """Band codes as Arrow strings, null for -1."""
    return pa.array(BANDS).take(pa.array(codes, mask=codes < 0))


def nullable(values: Floats, type_: pa.DataType) -> pa.Array:
    """Floats as an Arrow array, NaN as null."""
    return pa.array(values, mask=np.isnan(values)).cast(type_)


_ARROW_TYPES = {
    op.KIND_FLOAT: pa.float32(),
    op.KIND_DOUBLE: pa.float64(),
    op.KIND_INT: pa.int32(),
    op.KIND_LONG: pa.int64(),
    op.KIND_BOOLEAN: pa.bool_(),
}


def survey_struct(
    decoded: Decoded,
    fields: pa.DataType,
    paths: Mapping[str, str],
    sentinels: tuple[float, ...] = (),
) -> pa.StructArray:
    """The survey's own scalars as one Arrow struct.

    Columns of one kind are turned together: with a hundred of them the price per column is
    what counts.

    Parameters
    ----------
    decoded
        The packets.
    fields
        Arrow struct type.
    paths
        Member of ``fields`` to path in the packet.
    sentinels
        Numbers that stand for "not measured" in this survey; they become null, as NaN does.
    """
    n = len(decoded)
    found: dict[str, pa.Array] = dict(decoded.texts)
    for kind, arrow_type in _ARROW_TYPES.items():
        columns = [c for c in decoded.columns.values() if c.kind == kind]
        if columns and n:
            found |= _bulk(decoded, columns, kind, arrow_type, sentinels)
    arrays = []
    for field in fields:
        array = found.get(paths[field.name])
        if array is None or pa.types.is_string(array.type) != pa.types.is_string(field.type):
            array = pa.nulls(n, field.type)
        elif array.type != field.type:
            array = array.cast(field.type, safe=False)
        arrays.append(array)
    return pa.StructArray.from_arrays(arrays, fields=list(fields))


def _bulk(
    decoded: Decoded,
    columns: list[Any],
    kind: int,
    arrow_type: pa.DataType,
    sentinels: tuple[float, ...],
) -> dict[str, pa.Array]:
    """All columns of one kind as Arrow arrays; compiled programs lay them side by side."""
    n = len(decoded)
    low, high = columns[0].row, columns[-1].row + 1
    side_by_side = high - low == len(columns)
    chosen: Any = slice(low, high) if side_by_side else [column.row for column in columns]
    values = np.ascontiguousarray(typed(decoded.raw[chosen], kind))
    given = decoded.valid[chosen] != 0
    for sentinel in sentinels if kind != op.KIND_BOOLEAN else ():
        given &= values != sentinel
    if kind in {op.KIND_FLOAT, op.KIND_DOUBLE}:
        given &= ~np.isnan(values)
    # Faulty packets left out, the rest may lie transposed in memory.
    bitmaps = np.ascontiguousarray(np.packbits(given, axis=1, bitorder="little"))
    cells = np.packbits(values, axis=1, bitorder="little") if kind == op.KIND_BOOLEAN else values
    cells = np.ascontiguousarray(cells)
    bitmap_buffer, cell_buffer = pa.py_buffer(bitmaps), pa.py_buffer(cells)
    bitmap_size, cell_size = bitmaps[0].nbytes, cells[0].nbytes
    return {
        column.name: pa.Array.from_buffers(
            arrow_type,
            n,
            [
                bitmap_buffer.slice(k * bitmap_size, bitmap_size),
                cell_buffer.slice(k * cell_size, cell_size),
            ],
        )
        for k, column in enumerate(columns)
    }
