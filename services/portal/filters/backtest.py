"""What a filter would have sent: the stream's own engine on the archive's nights and on tonight.

Only the columns that the condition names are read, so that two million alerts take seconds. The
alerts shown as examples are read whole, a handful.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from shared.archive.alerts import alert_tables
from shared.archive.nights import nights_of
from shared.archive.readers import Reader
from shared.archive.snapshots import Snapshot
from shared.errors import TocsinError
from shared.filters.derived import DERIVED
from shared.filters.engine import FilterEngine
from shared.filters.guard import Limits
from shared.filters.sight import may_receive, private_eyes
from shared.filters.statement import Statement, parse_filter
from shared.filters.surveys import tried_on_surveys
from shared.filters.user_filter import UserFilter
from shared.privacy import private_owners, seen_by
from shared.schemas.published import PUBLISHED

ROWS = 65_536
"""Alerts asked at once."""
_NIGHTS_AT_ONCE = 5
_FEW = 5
_NIGHTS_AT_ONCE = 10
_CURVE = ("lc_mjd_tai", "lc_flux_njy", "lc_band", "lc_kind")
_IDENTITY = ("alert_id", "survey", "object_id", "mjd_tai")
_PUBLISHED = {field.name for field in PUBLISHED}


class BacktestFailedError(TocsinError):
    """The filter failed on an alert of the archive, or exceeded its limits there."""


@dataclass(frozen=True, slots=True)
class Example:
    """One alert that the filter wants."""

    survey: str
    object_id: str
    alert_id: str
    mjd_tai: float
    ra_deg: float
    dec_deg: float
    light_curve: Mapping[str, list[Any]]
    sends: Mapping[str, Any]
    """The columns of its SELECT; empty for the whole alert."""


@dataclass(slots=True)
class Report:
    """What came of it."""

    alerts: int = 0
    wanted: int = 0
    by_night: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    """By survey and night: alerts asked, and wanted."""
    examples: list[Example] = field(default_factory=list)
    seconds: float = 0.0
    is_cut: bool = False
    """Time was over before all nights were read; the newest were."""

    @property
    def share(self) -> float | None:
        """Wanted share of the stream; None if there was no alert to ask."""
        return self.wanted / self.alerts if self.alerts else None

    def document(self) -> dict[str, Any]:
        """The report, ready for JSON."""
        nights = [
            {"survey": survey, "night": night, "alerts": asked, "wanted": wanted}
            for survey, counts in sorted(self.by_night.items())
            for night, (asked, wanted) in sorted(counts.items())
        ]
        return {
            "alerts": self.alerts,
            "wanted": self.wanted,
            "share": self.share,
            "per_night": self.wanted / len(nights) if nights else None,
            "nights": nights,
            "examples": [asdict(one) for one in self.examples],
            "seconds": round(self.seconds, 3),
            "is_cut": self.is_cut,
        }


class Backtest:
    """One filter, asked about alerts of the past.

    Parameters
    ----------
    each
        The filter.
    limits
        Of each run, as on the stream but for larger batches.
    private_surveys
        Groups that private surveys are for: the filter gets no alert of one it may not see.
    seconds
        Longest time for all of it.

    Raises
    ------
    FilterRefusedError
        If the filter is not acceptable, or fits no survey.
    """

    def __init__(
        self,
        each: UserFilter,
        limits: Limits,
        private_surveys: Mapping[str, frozenset[str]],
        seconds: float,
    ) -> None:
        self._filter = each
        self._engine = FilterEngine([each], limits, private_surveys)
        statement = parse_filter(each.select)
        fitting, refusals = tried_on_surveys(statement, each.survey)
        if not fitting:
            raise next(iter(refusals.values()))
        self._columns = _columns(each, statement)
        self._private_surveys = private_surveys
        self._is_misfit: dict[str, bool] = {}
        self._started = time.perf_counter()
        self._seconds = seconds
        self.report = Report()

    def ask_snapshot(self, snapshot: Snapshot, nights: Sequence[int]) -> None:
        """Count what the filter wants of a survey's archived nights, newest first."""
        if not self._may_ask(snapshot.survey):
            return
        left = set(nights)
        while left and not self._is_over():
            few = set(sorted(left)[-_NIGHTS_AT_ONCE:])
            for file in snapshot.alert_files(few):  # compacted ones hold many nights: read once
                few |= file.nights.keys() & left
            self._ask_nights(snapshot, sorted(few))
            left -= few

    def _ask_nights(self, snapshot: Snapshot, nights: Sequence[int]) -> None:
        # The engine knows which surveys the filter may see.
        reader = Reader(private_eyes(self._filter), is_operator=True)
        tables = alert_tables(
            snapshot, reader, nights=nights, columns=self._columns, alerts_per_table=ROWS
        )
        chosen: list[str] = []
        for table in _in_bulk(tables):
            rows = np.flatnonzero(self._count(table, snapshot.survey))
            if len(rows) and self._wants_examples() and not chosen:
                few = table.take(pa.array(rows[:_FEW]))
                chosen = few.column("alert_id").to_pylist()
                of = set(nights_of(np.asarray(few.column("mjd_tai"))).tolist())
        if chosen:
            for whole in alert_tables(snapshot, reader, nights=of, alert_ids=chosen):
                self._show(whole, snapshot.survey)

    def _may_ask(self, survey: str) -> bool:
        is_its = self._filter.survey in {None, survey}
        return is_its and may_receive(self._filter, survey, self._private_surveys)

    def ask_batches(
        self, batches: Iterable[tuple[str, pa.RecordBatch]], packed: Collection[tuple[str, int]]
    ) -> None:
        """Count what the filter wants of envelopes, each with its survey.

        Those that begin in a night that is ``packed`` (survey, night) are passed over: the
        archive's files have their alerts.
        """
        for survey, batch in batches:
            if self._is_over():
                return
            (night,) = nights_of(np.asarray(batch.column("mjd_tai").slice(0, 1))).tolist()
            if not self._may_ask(survey) or (survey, night) in packed:
                continue
            table = pa.Table.from_batches([batch])
            eyes = private_eyes(self._filter)
            seen = seen_by(table, eyes) if private_owners(table) else table
            rows = np.flatnonzero(self._count(seen, survey))
            if len(rows) and self._wants_examples():
                self._show(seen.take(pa.array(rows[:_FEW])), survey)

    def finished(self) -> Report:
        """The report, with the time it took."""
        self.report.seconds = time.perf_counter() - self._started
        return self.report

    def _count(self, table: pa.Table, survey: str) -> Any:
        nobody = np.zeros(table.num_rows, np.bool_)
        if not table.num_rows:
            return nobody
        if survey not in self._is_misfit:
            misfits = self._engine.misfits(table, survey)
            self._is_misfit[survey] = self._filter.name in misfits
        if self._is_misfit[survey]:
            return nobody
        masks = self._engine.select(table, survey)
        self._require_running()
        mask = masks.get(self._filter.name, nobody)
        nights = nights_of(np.asarray(table.column("mjd_tai")))
        counts = self.report.by_night.setdefault(survey, {})
        for night in np.unique(nights).tolist():
            of_night = nights == night
            entry = counts.setdefault(night, [0, 0])
            entry[0] += int(of_night.sum())
            entry[1] += int(mask[of_night].sum())
        self.report.alerts += len(nights)
        self.report.wanted += int(mask.sum())
        return mask

    def _show(self, table: pa.Table, survey: str) -> None:
        masks = self._engine.select(table, survey)
        name = self._filter.name
        projected = self._engine.project(table, survey, masks) if masks else None
        self._require_running()
        rows = np.flatnonzero(masks.get(name, []))
        sends: list[dict[str, Any]] = [{} for _ in rows]
        if projected is not None:
            for column in self._engine.outputs[name]:
                source = (
                    projected.alerts.column(column.sql.removeprefix("alerts."))
                    if column.plain
                    else projected.computed[column.sql]
                )
                for sent, value in zip(sends, source.to_pylist(), strict=True):
                    sent[column.name] = value
        for row, sent in zip(rows.tolist(), sends, strict=True):
            if self._wants_examples():
                self.report.examples.append(_example(table.slice(row, 1), sent))

    def _require_running(self) -> None:
        for why in self._engine.paused.values():
            raise BacktestFailedError(f"the filter would be paused: {why}")

    def _wants_examples(self) -> bool:
        return len(self.report.examples) < _FEW

    def _is_over(self) -> bool:
        self.report.is_cut = time.perf_counter() - self._started > self._seconds
        return self.report.is_cut


def _read_together(snapshot: Snapshot, nights: Sequence[int]) -> Iterator[set[int]]:
    """Nights to be read in one go, the newest first: a few, and those in the same files."""
    left = set(nights)
    while left:
        few = set(sorted(left)[-_NIGHTS_AT_ONCE:])
        for file in snapshot.alert_files(few):
            few |= file.nights.keys() & left
        yield few
        left -= few


def _in_bulk(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of about ``ROWS``: a small one costs the engine as much."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(len(one) for one in waiting) >= ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def newest_nights(snapshots: Iterable[Snapshot], count: int) -> list[int]:
    """The last ``count`` nights that any survey has."""
    nights = {night for snapshot in snapshots for night in snapshot.nights}
    return sorted(nights)[-count:] if count else []


def _columns(each: UserFilter, statement: Statement) -> list[str]:
    """The published columns that the condition needs, and those that name an alert."""
    if each.python is not None:
        return [field.name for field in PUBLISHED]
    condition = statement.where_names
    needed = {*condition, *_IDENTITY}
    for name, sql, _ in DERIVED:
        if name in condition:
            needed |= set(re.findall(r"[a-z_][a-z0-9_]*", sql))
    return [field.name for field in PUBLISHED if field.name in needed & _PUBLISHED]


def _example(alert: pa.Table, sends: Mapping[str, Any]) -> Example:
    row = alert.select([*_IDENTITY, "ra_deg", "dec_deg", *_CURVE]).to_pylist()[0]
    return Example(
        **{name: row[name] for name in (*_IDENTITY, "ra_deg", "dec_deg")},
        light_curve={name: row[name] for name in _CURVE},
        sends=sends,
    )
