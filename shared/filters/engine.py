"""All filters in one query: a boolean column each, prepared once, run on every batch.

Planning a query costs far more than running it on a hundred alerts. So the fused query is
prepared against a source whose contents change from batch to batch, one per Arrow schema.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from shared.filters.syntax import Expression, FilterRefusedError, parse_where
from shared.filters.trial import require_boolean
from shared.filters.user_filter import UserFilter
from shared.filters.view import MACROS, alerts_view
from shared.schemas.published import OPEN_STRUCTS, PUBLISHED

log = structlog.get_logger()

_BLAMELESS_FAILURES = 3
"""Runs in a row that only fail fused before a filter is paused: one may be a stopped machine."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use."""

    memory_mib: int = 256
    seconds: float = 2.0


class _Source:
    """A relation whose rows are those of ``table`` at the time of each run."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()


@dataclass(frozen=True, slots=True)
class _Plan:
    """The fused query for batches of one schema."""

    schema: pa.Schema
    number: int
    source: _Source
    names: tuple[str, ...]
    misfits: dict[str, str] = field(default_factory=dict)


def locked_connection(limits: Limits, *, explains: bool = False) -> Any:
    """DuckDB in memory that knows our functions, and can reach no file, network or setting.

    With ``explains`` its errors are JSON and say where in the query they lie.
    """
    connection = duckdb.connect(
        config={
            "threads": "1",
            "memory_limit": f"{limits.memory_mib}MiB",
            "max_temp_directory_size": "0KiB",
            "enable_external_access": "false",
            "autoload_known_extensions": "false",
            "autoinstall_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
            "max_expression_depth": "500",
            "errors_as_json": str(explains).lower(),
        }
    )
    for macro in MACROS:
        connection.execute(macro)
    connection.execute(f"SET max_execution_time = {max(1, int(limits.seconds * 1000))}")
    connection.execute("SET lock_configuration = true")
    return connection


class FilterEngine:
    """Runs filters on batches. A filter that fails or exceeds the limits is paused, not the rest.

    Not safe for threads: one engine, one thread.

    Raises
    ------
    FilterRefusedError
        If one of ``filters`` is not acceptable; the message names it.
    """

    def __init__(self, filters: Sequence[UserFilter], limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._filters = {each.name: each for each in filters if each.is_active}
        self._expressions = {name: _parsed(each) for name, each in self._filters.items()}
        self._connection = locked_connection(self._limits)
        self._plans: dict[str, _Plan] = {}
        self._plans_made = 0
        self._blameless_failures = 0
        self.paused: dict[str, str] = {}
        """Why each paused filter was paused."""

    @property
    def filters(self) -> dict[str, UserFilter]:
        """The active filters by name, paused ones included."""
        return dict(self._filters)

    def misfits(self, batch: pa.RecordBatch | pa.Table, survey: str) -> dict[str, str]:
        """Filters that do not apply to alerts of this schema, and why."""
        return dict(self._plan(_table(batch), survey).misfits)

    def select(self, batch: pa.RecordBatch | pa.Table, survey: str) -> dict[str, Mask]:
        """Which alerts each filter wants.

        Parameters
        ----------
        batch
            Alerts of one schema.
        survey
            Registry name of their survey.

        Returns
        -------
        dict
            By filter name a mask, shape (n,); a filter that wants none, does not apply or is
            paused may be absent.
        """
        table = _table(batch)
        plan = self._plan(table, survey)
        if not plan.names or not table.num_rows:
            return {}
        plan.source.table = table
        try:
            columns = self._connection.execute(f"EXECUTE fused_{plan.number}").fetchnumpy()
            return {name: np.asarray(columns[name], dtype=np.bool_) for name in plan.names}
        except (duckdb.Error, MemoryError) as error:
            log.warning("fused_filters_failed", survey=survey, error=_first_line(error))
            return self._one_by_one(plan)

    def _one_by_one(self, plan: _Plan) -> dict[str, Mask]:
        """Find the filter that broke the fused query, pause it, and do the others' work."""
        masks: dict[str, Mask] = {}
        seconds: dict[str, float] = {}
        culprits: dict[str, str] = {}
        for name in plan.names:
            started = time.perf_counter()
            try:
                found = self._connection.execute(
                    _query({name: self._expressions[name]}, plan.number)
                ).fetchnumpy()
                masks[name] = np.asarray(found[name], dtype=np.bool_)
                seconds[name] = time.perf_counter() - started
            except (duckdb.Error, MemoryError) as error:
                culprits[name] = _first_line(error)
        self._blameless_failures = 0 if culprits else self._blameless_failures + 1
        if self._blameless_failures >= _BLAMELESS_FAILURES:
            slowest = max(seconds, key=lambda name: seconds[name])
            culprits[slowest] = "slowest of a set that together exceeds the limits"
            self._blameless_failures = 0
        for name, why in culprits.items():
            self._pause(name, why)
        return masks

    def _pause(self, name: str, why: str) -> None:
        self.paused[name] = why
        for survey in list(self._plans):
            self._drop(survey)
        log.error("filter_paused", filter=name, owner=self._filters[name].owner, why=why)

    def _plan(self, table: pa.Table, survey: str) -> _Plan:
        plan = self._plans.get(survey)
        if plan is None or not plan.schema.equals(table.schema):
            self._drop(survey)
            plan = self._planned(table, survey)
            self._plans[survey] = plan
        return plan

    def _drop(self, survey: str) -> None:
        plan = self._plans.pop(survey, None)
        if plan is not None:
            if plan.names:
                self._connection.execute(f"DEALLOCATE fused_{plan.number}")
            self._connection.unregister(f"source_{plan.number}")

    def _prepare(self, fitting: dict[str, Expression], number: int) -> None:
        """Prepare the fused query; filters that cannot be planned leave ``fitting``, paused.

        Planning has the same limits as running: what binds alone may still take too long.
        """
        while fitting:
            try:
                self._connection.execute(f"PREPARE fused_{number} AS {_query(fitting, number)}")
            except (duckdb.Error, MemoryError) as error:
                log.warning("fused_filters_not_planned", error=_first_line(error))
            else:
                return
            seconds: dict[str, float] = {}
            culprits: dict[str, str] = {}
            for name, expression in fitting.items():
                started = time.perf_counter()
                try:
                    self._connection.execute(f"EXPLAIN {_query({name: expression}, number)}")
                    seconds[name] = time.perf_counter() - started
                except (duckdb.Error, MemoryError) as error:
                    culprits[name] = _first_line(error)
            if not culprits:
                slowest = max(seconds, key=lambda name: seconds[name])
                culprits[slowest] = "slowest to plan of a set that together exceeds the limits"
            for name, why in culprits.items():
                del fitting[name]
                self._pause(name, why)

    def _planned(self, table: pa.Table, survey: str) -> _Plan:
        self._plans_made += 1
        number, source = self._plans_made, _Source(table.slice(0, 0))
        self._connection.register(f"source_{number}", source)
        fitting: dict[str, Expression] = {}
        misfits: dict[str, str] = {}
        for name, expression in self._expressions.items():
            if name in self.paused:
                continue
            meant_for = self._filters[name].survey
            if meant_for not in {None, survey}:
                misfits[name] = f"is for {meant_for}"
                continue
            try:
                require_boolean(self._connection, expression, f"source_{number}")
                fitting[name] = expression
            except FilterRefusedError as error:
                if isinstance(error.__cause__, duckdb.InterruptException):
                    self._pause(name, _first_line(error.__cause__))  # too slow, not a misfit
                else:
                    misfits[name] = error.why
        self._prepare(fitting, number)
        log.info("filters_planned", survey=survey, running=list(fitting), not_applicable=misfits)
        return _Plan(table.schema, number, source, tuple(fitting), misfits)


def _query(expressions: dict[str, Expression], number: int) -> str:
    columns = ", ".join(
        f'coalesce(({e.sql}\n), false) AS "{name}"' for name, e in expressions.items()
    )
    return f"SELECT {columns} FROM {alerts_view(f'source_{number}')} AS alerts"  # noqa: S608


def _parsed(each: UserFilter) -> Expression:
    try:
        return parse_where(each.where)
    except FilterRefusedError as error:
        raise FilterRefusedError(f"filter {each.name}: {error.why}", error.position) from error


def _table(batch: pa.RecordBatch | pa.Table) -> pa.Table:
    """The batch with every published column; those no stage has added are null."""
    table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
    for column in PUBLISHED:
        if column.name not in OPEN_STRUCTS and table.schema.get_field_index(column.name) < 0:
            table = table.append_column(column, pa.nulls(table.num_rows, column.type))
    return table


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
