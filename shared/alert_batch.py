"""``AlertBatch``: a thin view of one Arrow record batch of alerts.

Every plug-in (catalog, classifier, notice matcher, filter) is a function from a batch to
columns. The same code runs on the stream, on Parquet and on a user's file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.light_curves.ragged import RaggedLightCurves


@dataclass(frozen=True, slots=True)
class AlertBatch:
    """Alerts of one survey, one row each, in the order in which they came."""

    record_batch: pa.RecordBatch

    def __len__(self) -> int:
        """How many alerts there are."""
        return int(self.record_batch.num_rows)

    def column(self, name: str) -> pa.Array:
        """The Arrow column ``name``; raises ``KeyError`` if there is none."""
        return self.record_batch.column(name)

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """Column ``name`` as float64, shape (n,), null as NaN."""
        array = self.record_batch.column(name).to_numpy(zero_copy_only=False)
        return np.asarray(array, dtype=np.float64)

    def integers(self, name: str) -> npt.NDArray[np.int64]:
        """Column ``name`` as int64, shape (n,); the column must hold no null."""
        array = self.record_batch.column(name).to_numpy(zero_copy_only=False)
        return np.asarray(array, dtype=np.int64)

    def strings(self, name: str) -> list[Any]:
        """Column ``name`` as Python strings (None for null). Not for the hot path."""
        values: list[Any] = self.record_batch.column(name).to_pylist()
        return values

    @property
    def survey(self) -> str:
        """Registry name of the survey; a batch is all of one survey."""
        return str(self.record_batch.column("survey")[0])

    @property
    def ra_deg(self) -> npt.NDArray[np.float64]:
        """ICRS right ascension, shape (n,), degrees."""
        return self.floats("ra_deg")

    @property
    def dec_deg(self) -> npt.NDArray[np.float64]:
        """ICRS declination, shape (n,), degrees."""
        return self.floats("dec_deg")

    @property
    def light_curves(self) -> RaggedLightCurves:
        """The light curves as flat NumPy views."""
        times = self.record_batch.column("lc_mjd_tai")
        offsets = np.asarray(times.offsets.to_numpy(), dtype=np.int32)
        first = int(offsets[0]) if len(offsets) else 0
        last = int(offsets[-1]) if len(offsets) else 0

        def flat(name: str) -> npt.NDArray[Any]:
            column = self.record_batch.column(name)
            start = int(column.offsets[0].as_py()) if len(column.offsets) else 0
            values = column.values.slice(start, last - first)
            return np.asarray(values.to_numpy(zero_copy_only=False))

        return RaggedLightCurves(
            offsets=offsets - offsets[0],
            mjd_tai=flat("lc_mjd_tai"),
            flux_njy=flat("lc_flux_njy"),
            flux_err_njy=flat("lc_flux_err_njy"),
            band=flat("lc_band"),
            kind=flat("lc_kind"),
        )

    def with_columns(self, columns: Mapping[pa.Field, pa.Array]) -> AlertBatch:
        """A batch with ``columns`` appended; those that were there are shared, not copied.

        Raises
        ------
        ValueError
            If a column of that name exists: a stage adds, it never rewrites.
        """
        schema = self.record_batch.schema
        arrays = list(self.record_batch.columns)
        fields = list(schema)
        for field, array in columns.items():
            if schema.get_field_index(field.name) >= 0:
                raise ValueError(f"column {field.name!r} exists; a stage adds, it never rewrites")
            fields.append(field)
            arrays.append(array)
        widened = pa.schema(fields, metadata=schema.metadata)
        return AlertBatch(pa.RecordBatch.from_arrays(arrays, schema=widened))

    def rows(self, keep: npt.NDArray[np.bool_]) -> AlertBatch:
        """The alerts for which ``keep`` (shape (n,)) is true, copied."""
        return AlertBatch(self.record_batch.filter(pa.array(keep)))

    def slice(self, start: int, length: int) -> AlertBatch:
        """``length`` alerts from ``start`` on, without a copy."""
        return AlertBatch(self.record_batch.slice(start, length))
