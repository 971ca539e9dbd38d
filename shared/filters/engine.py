"""All filters in one query: a boolean column each, prepared once, run on every batch.

Planning a query costs far more than running it on a hundred alerts. So the fused query is
prepared against a source whose contents change from batch to batch, one per Arrow schema. What the
wanted alerts send is a second query of the same kind, over those alerts only (``projection``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from shared.filters.guard import Limits, locked_connection
from shared.filters.judged import judged
from shared.filters.output import OutputColumn
from shared.filters.projection import Projected, Projection
from shared.filters.python import PYTHON_FILTERS
from shared.filters.refusal import FilterRefusedError
from shared.filters.sight import may_receive
from shared.filters.source import Source, first_line
from shared.filters.statement import Statement
from shared.filters.trial import require_boolean
from shared.filters.user_filter import UserFilter
from shared.filters.view import alerts_view
from shared.schemas.published import OPEN_STRUCTS, PUBLISHED

log = structlog.get_logger()

_BLAMELESS_FAILURES = 3
"""Runs in a row that only fail fused before a filter is paused: one may be a stopped machine."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The fused query for batches of one schema."""

    schema: pa.Schema
    number: int
    source: Source
    names: tuple[str, ...]
    projection: Projection
    misfits: dict[str, str] = field(default_factory=dict)


class FilterEngine:
    """Runs filters on batches. A filter that fails or exceeds the limits is paused, not the rest.

    Not safe for threads: one engine, one thread.

    Raises
    ------
    FilterRefusedError
        If one of ``filters`` is not acceptable; the message names it.
    """

    def __init__(
        self,
        filters: Sequence[UserFilter],
        limits: Limits | None = None,
        private_surveys: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._private_surveys = private_surveys or {}
        self._limits = limits or Limits()
        self._filters = {each.name: each for each in filters if each.is_active}
        parts = {name: judged(each) for name, each in self._filters.items()}
        self._statements = {name: statement for name, (statement, _) in parts.items()}
        self._outputs = {name: columns for name, (_, columns) in parts.items() if columns}
        self._connection = locked_connection(self._limits)
        self._plans: dict[str, _Plan] = {}
        self._plans_made = 0
        self._blameless_failures = 0
        self._compiled: set[str] = set()
        self.paused: dict[str, str] = {}
        """Why each paused filter was paused."""

    @property
    def filters(self) -> dict[str, UserFilter]:
        """The active filters by name, paused ones included."""
        return dict(self._filters)

    @property
    def outputs(self) -> dict[str, tuple[OutputColumn, ...]]:
        """The columns of filters that do not send the whole alert."""
        return dict(self._outputs)

    def warm(self, former: FilterEngine) -> None:
        """Plan for the schemas that another engine has seen, so that no batch waits for it."""
        for survey, plan in dict(former._plans).items():  # one of its own kind
            self._plan(plan.schema.empty_table(), survey)

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
            masks = {name: np.asarray(columns[name], dtype=np.bool_) for name in plan.names}
        except (duckdb.Error, MemoryError) as error:
            log.warning("fused_filters_failed", survey=survey, error=first_line(error))
            masks = self._one_by_one(plan)
        return self._narrowed(table, masks)

    def project(
        self, batch: pa.RecordBatch | pa.Table, survey: str, masks: Mapping[str, Mask]
    ) -> Projected | None:
        """What the alerts that filters want send, for filters that do not send the whole alert.

        Parameters
        ----------
        batch, survey
            As given to ``select``.
        masks
            What ``select`` gave, or less.

        Returns
        -------
        Projected
            None if no such filter wants any. A filter whose columns cannot be computed is paused.
        """
        table = _table(batch)
        plan = self._plan(table, survey)
        mine = {n: m for n, m in masks.items() if n in self._outputs and n not in self.paused}
        if not any(mask.any() for mask in mine.values()):
            return None
        projected, culprits = plan.projection.run(table, mine)
        for name, why in culprits.items():
            self.pause(name, why)
        return projected

    def _narrowed(self, table: pa.Table, masks: dict[str, Mask]) -> dict[str, Mask]:
        """The masks, with what filters in Python say of the alerts that SQL lets through."""
        for name, mask in list(masks.items()):
            python = self._filters[name].python
            if python is None or not mask.any():
                continue
            rows = np.flatnonzero(mask)
            started = time.perf_counter()
            try:
                wanted = PYTHON_FILTERS[python].wants(table.take(pa.array(rows)))
                narrowed = np.zeros(len(mask), np.bool_)
                narrowed[rows] = np.asarray(wanted, np.bool_)
                masks[name] = narrowed
            except Exception as error:  # noqa: BLE001  # a filter's own fault, whatever it is
                self.pause(name, first_line(error))
                del masks[name]
                continue
            seconds = time.perf_counter() - started
            if name not in self._compiled:  # numba compiles at the first call
                self._compiled.add(name)
            elif seconds > self._limits.seconds:
                self.pause(name, f"took longer than {self._limits.seconds} s")
        return masks

    def _one_by_one(self, plan: _Plan) -> dict[str, Mask]:
        """Find the filter that broke the fused query, pause it, and do the others' work."""
        masks: dict[str, Mask] = {}
        seconds: dict[str, float] = {}
        culprits: dict[str, str] = {}
        for name in plan.names:
            started = time.perf_counter()
            try:
                found = self._connection.execute(
                    _query({name: self._statements[name]}, plan.number)
                ).fetchnumpy()
                masks[name] = np.asarray(found[name], dtype=np.bool_)
                seconds[name] = time.perf_counter() - started
            except (duckdb.Error, MemoryError) as error:
                culprits[name] = first_line(error)
        self._blameless_failures = 0 if culprits else self._blameless_failures + 1
        if self._blameless_failures >= _BLAMELESS_FAILURES:
            slowest = max(seconds, key=lambda name: seconds[name])
            culprits[slowest] = "slowest of a set that together exceeds the limits"
            self._blameless_failures = 0
        for name, why in culprits.items():
            self.pause(name, why)
        return masks

    def pause(self, name: str, why: str) -> None:
        """Set a filter aside: no alert is asked of it any more."""
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
            plan.projection.drop()
            self._connection.unregister(f"source_{plan.number}")

    def _prepare(self, fitting: dict[str, Statement], number: int) -> None:
        """Prepare the fused query; filters that cannot be planned leave ``fitting``, paused.

        Planning has the same limits as running: what binds alone may still take too long.
        """
        while fitting:
            try:
                self._connection.execute(f"PREPARE fused_{number} AS {_query(fitting, number)}")
            except (duckdb.Error, MemoryError) as error:
                log.warning("fused_filters_not_planned", error=first_line(error))
            else:
                return
            seconds: dict[str, float] = {}
            culprits: dict[str, str] = {}
            for name, statement in fitting.items():
                started = time.perf_counter()
                try:
                    self._connection.execute(f"EXPLAIN {_query({name: statement}, number)}")
                    seconds[name] = time.perf_counter() - started
                except (duckdb.Error, MemoryError) as error:
                    culprits[name] = first_line(error)
            if not culprits:
                slowest = max(seconds, key=lambda name: seconds[name])
                culprits[slowest] = "slowest to plan of a set that together exceeds the limits"
            for name, why in culprits.items():
                del fitting[name]
                self.pause(name, why)

    def _planned(self, table: pa.Table, survey: str) -> _Plan:
        self._plans_made += 1
        number, source = self._plans_made, Source(table.slice(0, 0))
        self._connection.register(f"source_{number}", source)
        fitting: dict[str, Statement] = {}
        misfits: dict[str, str] = {}
        for name, statement in self._statements.items():
            if name in self.paused:
                continue
            meant_for = self._filters[name].survey
            if meant_for not in {None, survey}:
                misfits[name] = f"is for {meant_for}"
                continue
            if not may_receive(self._filters[name], survey, self._private_surveys):
                misfits[name] = f"{survey} is private"
                continue
            try:
                require_boolean(self._connection, statement, f"source_{number}")
                fitting[name] = statement
            except FilterRefusedError as error:
                if isinstance(error.__cause__, duckdb.InterruptException):
                    self.pause(name, first_line(error.__cause__))  # too slow, not a misfit
                else:
                    misfits[name] = error.why
        self._prepare(fitting, number)
        outputs = {name: self._outputs[name] for name in fitting if name in self._outputs}
        projection = Projection(self._connection, table.schema, number, outputs)
        log.info("filters_planned", survey=survey, running=list(fitting), not_applicable=misfits)
        return _Plan(table.schema, number, source, tuple(fitting), projection, misfits)


def _query(statements: Mapping[str, Statement], number: int) -> str:
    columns = ", ".join(
        f'coalesce(({each.where}\n), false) AS "{name}"' for name, each in statements.items()
    )
    derived = frozenset[str]().union(*(each.derived for each in statements.values()))
    return f"SELECT {columns} FROM {alerts_view(f'source_{number}', derived)} AS alerts"  # noqa: S608


def _table(batch: pa.RecordBatch | pa.Table) -> pa.Table:
    """The batch with every published column; those no stage has added are null."""
    table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
    for column in PUBLISHED:
        if column.name not in OPEN_STRUCTS and table.schema.get_field_index(column.name) < 0:
            table = table.append_column(column, pa.nulls(table.num_rows, column.type))
    return table
