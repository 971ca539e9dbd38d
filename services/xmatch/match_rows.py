"""The matches of a batch as flat columns, for what is made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.context.natures import natures_of
from shared.alert_batch import AlertBatch


@dataclass(frozen=True, slots=True)
class MatchRows:
    """Every match of a batch: alerts in order, each alert's nearest first; shape (m,)."""

    alerts: int
    sources: pa.StructArray
    """As in ``matches``."""
    alert: npt.NDArray[np.int64]
    separation_arcsec: npt.NDArray[np.float64]
    nature: npt.NDArray[np.int8]
    """Of ``services.xmatch.context.natures.Nature``."""

    def __len__(self) -> int:
        """How many matches there are."""
        return len(self.alert)

    def member(self, name: str) -> pa.Array:
        """A member of the matches; all null if this envelope's matches have none such."""
        index = self.sources.type.get_field_index(name)
        return self.sources.field(index) if index >= 0 else pa.nulls(len(self), pa.string())

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A numeric member, NaN where null."""
        values = self.member(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.asarray(values, dtype=np.float64)

    def first_of(self, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """For each alert its nearest match that is kept, shape (alerts,); -1 if there is none."""
        first = np.full(self.alerts, -1, np.int64)
        rows = np.flatnonzero(keep)[::-1]
        first[self.alert[rows]] = rows
        return first


def match_rows(
    batch: AlertBatch, kinds: Mapping[str, str], hosted: Collection[str] = ()
) -> MatchRows:
    """Flatten ``matches``.

    Parameters
    ----------
    batch
        A batch with ``matches``.
    kinds
        ``Catalog.kind`` by catalog name.
    hosted
        Names of the catalogs whose galaxies the host search knows.
    """
    column = batch.column("matches")
    sources = column.flatten()
    return MatchRows(
        alerts=len(batch),
        sources=sources,
        alert=pc.list_parent_indices(column).to_numpy(zero_copy_only=False).astype(np.int64),
        separation_arcsec=sources.field("separation_arcsec")
        .to_numpy(zero_copy_only=False)
        .astype(np.float64),
        nature=natures_of(sources.field("catalog"), sources.field("source_class"), kinds, hosted),
    )
