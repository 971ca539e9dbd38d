"""What a match needs to know of an alert: a few columns, so that many fit into memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.light_curves.bands import DETECTION
from shared.schemas.association import Association
from shared.sky.healpix import healpix29_of

FIRST_DETECTION = "first_detection_mjd_tai"
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
    ]
)
_OF_THE_ALERT = SLIM_SCHEMA.names[:-1]
_BATCHES_JOINED = 64


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
        """The slim view of a batch: columns shared, the first detection computed."""
        columns = [batch.column(name) for name in _OF_THE_ALERT]
        columns.append(pa.array(first_detection_mjd_tai(batch)))
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


def first_detection_mjd_tai(batch: AlertBatch) -> npt.NDArray[np.float64]:
    """Earliest detection in each light curve (forced photometry and limits do not count).

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
    return first


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
