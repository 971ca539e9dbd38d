"""What a night became, beside what it was: alerts, matches, classes, probabilities, by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from shared.archive.nights import span_of
from shared.archive.snapshots import Snapshot
from shared.schemas.classification import VERDICTS

DIFFERS = 1e-6
"""Probabilities nearer than this are the same."""
_EXAMPLES = 10


def compare(night: int, before: Sequence[Path], after: Sequence[Path]) -> dict[str, Any]:
    """Compare the Parquet of a night before and after.

    Returns
    -------
    dict
        Counts of alerts in both, gone and new; of alerts whose matches, host, redshift or
        associations are others; for each classifier how many answers and classes are others, and
        examples.
    """
    with duckdb.connect() as connection:
        connection.execute(_view("before", before, night))
        connection.execute(_view("after", after, night))
        counts = _one(
            connection,
            "SELECT count(*) FILTER (b.alert_id IS NOT NULL AND a.alert_id IS NOT NULL) AS both, "
            "count(*) FILTER (a.alert_id IS NULL) AS gone, "
            "count(*) FILTER (b.alert_id IS NULL) AS new "
            "FROM before b FULL JOIN after a USING (alert_id)",
        )
        there = [_columns(connection, name) for name in ("before", "after")]
        shared = there[0] & there[1]
        changed = {
            name: _one(connection, f"SELECT count(*) AS n FROM {_BOTH} WHERE {sql}")["n"]  # noqa: S608  # ours
            for name, needed, sql in _CHANGES
            if needed in shared
        }
        classifiers = {
            column.name: _verdicts(connection, column.name, _has(column, "class"))
            for column in VERDICTS
            if column.name in shared and _has(column, "probability")
        }
    return {"alerts": counts, "changed": changed, "classifiers": classifiers}


_BOTH = "before b JOIN after a USING (alert_id)"
_CHANGES = (
    (
        "matches",
        "matches",
        "list_sort(list_transform(b.matches, lambda m: m.catalog || ' ' || m.source_id)) IS "
        "DISTINCT FROM list_sort(list_transform(a.matches, lambda m: m.catalog || ' ' || "
        "m.source_id))",
    ),
    ("host", "hosts", "b.hosts[1].source_id IS DISTINCT FROM a.hosts[1].source_id"),
    ("context class", "context", "b.context['class'] IS DISTINCT FROM a.context['class']"),
    ("redshift", "redshift", "b.redshift['value'] IS DISTINCT FROM a.redshift['value']"),
    (
        "associations",
        "associations",
        "list_sort(list_transform(b.associations, lambda e: e.event_id)) IS DISTINCT FROM "
        "list_sort(list_transform(a.associations, lambda e: e.event_id))",
    ),
    ("flux", "flux_njy", "b.flux_njy IS DISTINCT FROM a.flux_njy"),
    ("light curve", "lc_flux_njy", "b.lc_flux_njy IS DISTINCT FROM a.lc_flux_njy"),
)
"""What is compared: its name, the column it needs, and when it counts as another."""


def paths_of(snapshot: Snapshot | None, night: int) -> list[Path]:
    """Files of a night; of compacted snapshots those that hold others too."""
    if snapshot is None:
        return []
    return [snapshot.path(file) for file in snapshot.alert_files([night])]


def _verdicts(connection: Any, name: str, has_class: bool) -> dict[str, Any]:
    was, now = f"b.{name}.probability", f"a.{name}.probability"
    differs = (
        f"({was} IS NULL) <> ({now} IS NULL) OR coalesce(abs({was} - {now}) > {DIFFERS}, false)"
    )
    found = _one(
        connection,
        f"SELECT count(*) FILTER ({differs}) AS answers, "  # noqa: S608  # our columns
        f"count(*) FILTER ({was} IS NULL AND {now} IS NOT NULL) AS judged_now, "
        f"count(*) FILTER ({was} IS NOT NULL AND {now} IS NULL) AS abstained_now, "
        f"max(abs({was} - {now})) AS most, "
        f"any_value(b.{name}.model_version) AS model_before, "
        f"any_value(a.{name}.model_version) AS model_after FROM {_BOTH}",
    )
    if has_class:
        rows = connection.execute(
            f"SELECT b.{name}['class'] AS before, a.{name}['class'] AS after, count(*) AS alerts "  # noqa: S608  # our columns
            f"FROM {_BOTH} WHERE b.{name}['class'] IS DISTINCT FROM a.{name}['class'] "
            "GROUP BY ALL ORDER BY alerts DESC, before, after"
        ).fetchall()
        found["classes"] = [{"before": b, "after": a, "alerts": n} for b, a, n in rows]
    found["examples"] = [
        {"alert_id": alert_id, "before": before, "after": after}
        for alert_id, before, after in connection.execute(
            f"SELECT alert_id, {was}, {now} FROM {_BOTH} WHERE {differs} "  # noqa: S608  # our columns
            f"ORDER BY abs({was} - {now}) DESC NULLS FIRST, alert_id LIMIT {_EXAMPLES}"
        ).fetchall()
    ]
    return found


def _has(column: pa.Field, member: str) -> bool:
    return bool(column.type.get_field_index(member) >= 0)


def _one(connection: Any, sql: str) -> dict[str, Any]:
    found = connection.execute(sql)
    names = [column[0] for column in found.description]
    return dict(zip(names, found.fetchone(), strict=True))


def _columns(connection: Any, view: str) -> set[str]:
    return {row[0] for row in connection.execute(f"DESCRIBE {view}").fetchall()}


def _view(name: str, paths: Sequence[Path], night: int) -> str:
    first, end = span_of(night)
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return (
        f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}], "  # noqa: S608  # our files
        "hive_partitioning = false, union_by_name = true) "
        f"WHERE mjd_tai >= {first} AND mjd_tai < {end}"
    )
