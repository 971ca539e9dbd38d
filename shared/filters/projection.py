"""What wanted alerts send: the SELECT columns of all filters in one query over those alerts.

Each distinct expression is computed once, and only in rows that one of its filters wants (CASE), so
that an alert nobody asked a filter about cannot fail it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from shared.filters.output import OutputColumn
from shared.filters.source import Source, first_line
from shared.filters.statement import VIEW
from shared.filters.view import alerts_view

log = structlog.get_logger()

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Projected:
    """Columns of the alerts that some filter wants."""

    rows: npt.NDArray[np.int64]
    """Which rows of the batch these are, shape (n,), ascending."""
    alerts: pa.RecordBatch
    """Their published columns, n rows."""
    computed: Mapping[str, pa.Array]
    """Computed columns by their SQL, n rows; null where no filter asked."""


class Projection:
    """The prepared query for batches of one schema.

    Parameters
    ----------
    connection
        The engine's.
    schema
        Of the batches.
    number
        Of the plan, unique in the connection.
    outputs
        Columns of each filter that fits the schema.
    """

    def __init__(
        self,
        connection: Any,
        schema: pa.Schema,
        number: int,
        outputs: Mapping[str, tuple[OutputColumn, ...]],
    ) -> None:
        self._connection = connection
        self._number = number
        self._outputs = outputs
        self._columns: dict[str, OutputColumn] = {}
        self._askers: dict[str, list[str]] = {}
        for name, columns in outputs.items():
            for column in columns:
                if not column.plain:
                    self._columns.setdefault(column.sql, column)
                    self._askers.setdefault(column.sql, []).append(name)
        self._source: Source | None = None
        self._schema = schema

    def run(
        self, table: pa.Table, masks: Mapping[str, Mask]
    ) -> tuple[Projected | None, dict[str, str]]:
        """Compute what the wanted alerts send.

        Returns
        -------
        projected
            None if every filter failed.
        culprits
            Filters whose columns cannot be computed, and why.
        """
        rows = np.flatnonzero(np.logical_or.reduce(list(masks.values())))
        alerts = table.take(pa.array(rows)).combine_chunks()
        wanted = {name: mask[rows] for name, mask in masks.items()}
        batch = alerts.to_batches()[0]
        if not any(sql for sql, names in self._askers.items() if wanted.keys() & set(names)):
            return Projected(rows, batch, {}), {}
        try:
            return Projected(rows, batch, self._computed(alerts, wanted)), {}
        except (duckdb.Error, pa.ArrowException, MemoryError) as error:
            log.warning("projection_failed", error=first_line(error))
        culprits = {}
        for name, mask in wanted.items():
            try:
                self._computed(alerts, {name: mask})
            except (duckdb.Error, pa.ArrowException, MemoryError) as error:
                culprits[name] = first_line(error)
        others = {name: mask for name, mask in wanted.items() if name not in culprits}
        if not others:
            return None, culprits
        return Projected(rows, batch, self._computed(alerts, others)), culprits

    def _computed(self, alerts: pa.Table, wanted: Mapping[str, Mask]) -> dict[str, pa.Array]:
        nobody = np.zeros(alerts.num_rows, np.bool_)
        for index, names in enumerate(self._askers.values()):
            masks = [wanted[name] for name in names if name in wanted]
            asked = np.logical_or.reduce(masks) if masks else nobody
            alerts = alerts.append_column(_asked(index), pa.array(asked))
        if self._source is None:
            self._prepare(alerts)
        assert self._source is not None  # noqa: S101  # prepared just now
        self._source.table = alerts
        found = self._connection.sql(f"EXECUTE projected_{self._number}").to_arrow_table()
        return {
            sql: _one_piece(found.column(index)).cast(column.field.type)
            for index, (sql, column) in enumerate(self._columns.items())
        }

    def _prepare(self, alerts: pa.Table) -> None:
        self._source = Source(alerts.slice(0, 0))
        self._connection.register(f"wanted_{self._number}", self._source)
        columns = ", ".join(
            f"CASE WHEN {_asked(index)} THEN ({sql}\n) END AS c{index}"
            for index, sql in enumerate(self._columns)
        )
        view = alerts_view(f"wanted_{self._number}")
        query = f"SELECT {columns} FROM {view} AS {VIEW}"  # noqa: S608  # judged expressions
        self._connection.execute(f"PREPARE projected_{self._number} AS {query}")

    def drop(self) -> None:
        """Forget the query."""
        if self._source is not None:
            self._connection.execute(f"DEALLOCATE projected_{self._number}")
            self._connection.unregister(f"wanted_{self._number}")
            self._source = None


def _asked(index: int) -> str:
    return f"asked_for_{index}"


def _one_piece(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        return combined.chunk(0) if combined.num_chunks else pa.array([], column.type)
    return combined
