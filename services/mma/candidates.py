"""What a match needs to know of an alert: a few columns, so that many fit into memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.alert_batch import AlertBatch
from shared.light_curves.bands import BANDS, DETECTION, FORCED, UPPER_LIMIT
from shared.schemas.alert import SURVEY_FIELDS
from shared.schemas.association import Association
from shared.sky.healpix import healpix29_of

FIRST_DETECTION = "first_detection_mjd_tai"
LAST_NON_DETECTION = "last_non_detection_mjd_tai"
HISTORY_START = "history_start_mjd_tai"
RATE = "rate_mag_per_day"
DISTANCE = "distance_mpc"
DISTANCE_ERROR = "distance_err_mpc"
SLIM_SCHEMA = pa.schema(
    [
        ("survey", pa.string()),
        ("alert_id", pa.string()),
        ("object_id", pa.string()),
        ("ra_deg", pa.float64()),
        ("dec_deg", pa.float64()),
        ("healpix29", pa.int64()),
        ("mjd_tai", pa.float64()),
        ("band", pa.string()),
        ("flux_njy", pa.float64()),
        ("flux_err_njy", pa.float64()),
        ("reliability", pa.float32()),
        ("is_solar_system", pa.bool_()),
        ("is_simulated", pa.bool_()),
        ("origin_topic", pa.string()),
        ("origin_partition", pa.int32()),
        ("origin_offset", pa.int64()),
        (FIRST_DETECTION, pa.float64()),
        (LAST_NON_DETECTION, pa.float64()),
        (HISTORY_START, pa.float64()),
        (RATE, pa.float64()),
        (DISTANCE, pa.float64()),
        (DISTANCE_ERROR, pa.float64()),
    ]
)
_OF_THE_ALERT = SLIM_SCHEMA.names[: SLIM_SCHEMA.get_field_index(FIRST_DETECTION)]
_BATCHES_JOINED = 64
_PECULIAR_REDSHIFT = 0.001
_SAME_EXPOSURE_DAYS = 0.01
"""The survey's history counts from the exposure's start in UTC, light curves by its middle."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Alerts of any surveys, one row each, in the columns of ``SLIM_SCHEMA``."""

    record_batch: pa.RecordBatch

    def __len__(self) -> int:
        """How many alerts there are."""
        return int(self.record_batch.num_rows)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Column ``name`` as float64, shape (n,), null as NaN."""
        array = self.record_batch.column(name).to_numpy(zero_copy_only=False)
        return np.asarray(array, dtype=np.float64)

    @property
    def healpix29(self) -> npt.NDArray[np.int64]:
        """Order-29 cells, shape (n,)."""
        return np.asarray(self.record_batch.column("healpix29").to_numpy(), dtype=np.int64)

    def flags(self, name: str) -> npt.NDArray[np.bool_]:
        """Boolean column ``name``, shape (n,)."""
        array = self.record_batch.column(name).to_numpy(zero_copy_only=False)
        return np.asarray(array, dtype=bool)

    @classmethod
    def of_alerts(cls, batch: AlertBatch) -> Candidates:
        """The slim view of a batch: columns shared, the rest computed."""
        columns = [batch.column(name) for name in _OF_THE_ALERT]
        start = history_start_mjd_tai(batch)
        first = first_detection_mjd_tai(batch, start)
        computed = (
            first,
            last_non_detection_mjd_tai(batch, first),
            start,
            rate_mag_per_day(batch),
            *host_distance_mpc(batch),
        )
        columns += [pa.array(values, from_pandas=True) for values in computed]
        return cls(pa.RecordBatch.from_arrays(columns, schema=SLIM_SCHEMA))

    @classmethod
    def of_associations(cls, associations: Sequence[Association]) -> Candidates:
        """The alerts of associations, as they were when they were told."""
        rows = [
            association.model_dump(include=set(SLIM_SCHEMA.names)) for association in associations
        ]
        cells = healpix29_of([r["ra_deg"] for r in rows], [r["dec_deg"] for r in rows])
        for row, cell in zip(rows, cells, strict=True):
            row.update(healpix29=int(cell), is_solar_system=False)
        return cls(pa.RecordBatch.from_pylist(rows, schema=SLIM_SCHEMA))


def first_detection_mjd_tai(
    batch: AlertBatch, history_start: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """Earliest detection in each light curve (forced photometry and limits do not count).

    A light curve that begins before ``history_start``, all that the survey knows of the place, is
    that of another place: then the history's start counts, or the alert if that is earlier.

    Returns
    -------
    MJD TAI, days, shape (n,); the alert's own time where its light curve has no detection.
    """
    curves = batch.light_curves
    first = batch.floats("mjd_tai").copy()
    filled = np.flatnonzero(curves.lengths > 0)
    if len(filled):
        times = np.where(curves.kind == DETECTION, curves.mjd_tai, np.inf)
        earliest = np.minimum.reduceat(times, curves.offsets[:-1][filled])
        first[filled] = np.minimum(first[filled], earliest)
    if history_start is None:
        return first
    with np.errstate(invalid="ignore"):
        is_of_another = history_start > first + _SAME_EXPOSURE_DAYS
    return np.where(is_of_another, np.minimum(history_start, batch.floats("mjd_tai")), first)


def last_non_detection_mjd_tai(
    batch: AlertBatch, first_detection: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Latest upper limit before the first detection, MJD TAI, shape (n,); NaN if there is none.

    Forced photometry below three sigma counts as a limit.
    """
    curves = batch.light_curves
    last = np.full(len(batch), np.nan)
    filled = np.flatnonzero(curves.lengths > 0)
    if len(filled):
        row = np.repeat(np.arange(len(batch)), curves.lengths)
        with np.errstate(invalid="ignore"):
            is_faint = curves.flux_njy < 3.0 * curves.flux_err_njy
        is_limit = (curves.kind == UPPER_LIMIT) | ((curves.kind == FORCED) & is_faint)
        is_limit &= curves.mjd_tai < first_detection[row]
        times = np.where(is_limit, curves.mjd_tai, -np.inf)
        latest = np.maximum.reduceat(times, curves.offsets[:-1][filled])
        last[filled] = np.where(np.isfinite(latest), latest, np.nan)
    return last


def history_start_mjd_tai(batch: AlertBatch) -> npt.NDArray[np.float64]:
    """Earliest detection that the survey knows of at the place, older than the light curve.

    ZTF's ``jdstarthist``, which goes back to the beginning of the survey and below the alerts'
    threshold. NaN where the survey does not say.
    """
    index = batch.record_batch.schema.get_field_index(SURVEY_FIELDS)
    if index >= 0:
        fields = batch.record_batch.column(index)
        member = fields.type.get_field_index("jdstarthist")
        if member >= 0:
            start = pc.struct_field(fields, [member]).to_numpy(zero_copy_only=False)
            return np.asarray(start, dtype=np.float64) - 2_400_000.5
    return np.full(len(batch), np.nan)


def rate_mag_per_day(batch: AlertBatch) -> npt.NDArray[np.float64]:
    """Change of magnitude since the detection before in the same band, positive if it fades.

    Returns
    -------
    Magnitudes per day, shape (n,); NaN without an earlier positive detection in the band
    between half an hour and five days before.
    """
    curves = batch.light_curves
    rate = np.full(len(batch), np.nan)
    filled = np.flatnonzero(curves.lengths > 0)
    if not len(filled):
        return rate
    now, flux = batch.floats("mjd_tai"), batch.floats("flux_njy")
    band = pc.index_in(batch.column("band"), pa.array(BANDS)).to_numpy(zero_copy_only=False)
    row = np.repeat(np.arange(len(batch)), curves.lengths)
    age = now[row] - curves.mjd_tai
    fits = (curves.kind == DETECTION) & (curves.flux_njy > 0) & (age > 0.02) & (age < 5.0)
    fits &= curves.band == np.nan_to_num(np.asarray(band, dtype=np.float64), nan=-1.0)[row]
    point = np.where(fits, np.arange(len(fits)), -1)
    before = np.maximum.reduceat(point, curves.offsets[:-1][filled])
    known = (before >= 0) & (flux[filled] > 0)
    at, rows = before[known], filled[known]
    rate[rows] = -2.5 * np.log10(flux[rows] / curves.flux_njy[at]) / age[at]
    return rate


def host_distance_mpc(
    batch: AlertBatch,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Luminosity distance that xmatch found and its error, Mpc, shape (n,) each; NaN if unknown.

    The error is that of the redshift; where none is given, 300 km/s of peculiar velocity for
    spectroscopic redshifts and a fifth of the distance for others.
    """
    unknown = np.full(len(batch), np.nan)
    schema = batch.record_batch.schema
    if schema.get_field_index(DISTANCE) < 0:
        return unknown, unknown
    distance = batch.floats(DISTANCE)
    share = np.full(len(batch), 0.2)
    if schema.get_field_index("redshift") >= 0:
        best = batch.column("redshift")
        value, error, kind = (
            pc.struct_field(best, name).to_numpy(zero_copy_only=False)
            for name in ("value", "error", "kind")
        )
        value, error = (np.asarray(a, dtype=np.float64) for a in (value, error))
        error = np.where(np.isnan(error) & (kind == "spec"), _PECULIAR_REDSHIFT, error)
        with np.errstate(invalid="ignore", divide="ignore"):
            said = np.maximum(error, _PECULIAR_REDSHIFT) / value
        share = np.where(np.isfinite(said), said, share)
    return distance, distance * share


class RecentAlerts:
    """The alerts of late, for notices that come after them.

    Parameters
    ----------
    max_alerts
        Alerts kept (about 200 bytes each); the oldest go first.
    """

    def __init__(self, max_alerts: int) -> None:
        self._max_alerts = max_alerts
        self._pending: list[pa.RecordBatch] = []
        self._blocks: deque[pa.RecordBatch] = deque()
        self._rows = 0

    def __len__(self) -> int:
        """How many alerts are kept."""
        return self._rows

    def add(self, candidates: Candidates) -> None:
        """Keep ``candidates``."""
        self._pending.append(candidates.record_batch)
        self._rows += len(candidates)
        if len(self._pending) >= _BATCHES_JOINED:
            self._join()

    def blocks(self) -> Iterator[Candidates]:
        """All that is kept, oldest first, in large blocks."""
        self._join()
        for block in self._blocks:
            yield Candidates(block)

    def _join(self) -> None:
        """Copy what is pending into one block, which lets the envelopes go."""
        if not self._pending:
            return
        table = pa.Table.from_batches(self._pending).combine_chunks()
        self._pending = []
        self._blocks.extend(table.to_batches())
        while self._blocks and self._rows - self._blocks[0].num_rows >= self._max_alerts:
            self._rows -= self._blocks.popleft().num_rows
