"""The relations a query over the archive may name, as views over snapshots' Parquet.

``alerts`` is the very view that filters are written on (``shared/filters/view.py``).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from shared.archive.nights import NOON
from shared.archive.readers import Reader
from shared.archive.snapshots import ParquetFile, Snapshot
from shared.filters.surveys import survey_schemas
from shared.filters.view import alerts_view
from shared.schemas.classification import VERDICTS
from shared.schemas.published import OPEN_STRUCTS, PUBLISHED


@dataclass(frozen=True, slots=True)
class Relation:
    """One name that FROM may use."""

    name: str
    meaning: str
    sql: str


def _verdicts() -> str:
    """One row for each classifier that was asked about an alert."""
    parts = []
    for column in VERDICTS:
        members = {column.type.field(i).name for i in range(column.type.num_fields)}
        if not {"probability", "model_version"} <= members:
            continue
        named = f"{column.name}['class']" if "class" in members else "NULL::VARCHAR"
        parts.append(
            "SELECT survey, alert_id, object_id, ra_deg, dec_deg, mjd_tai, "  # noqa: S608  # ours
            f"'{column.name}' AS classifier, {named} AS \"class\", "
            f"{column.name}.probability AS probability, {column.name}.reason AS reason, "
            f"{column.name}.model_version AS model_version FROM archived_alerts "
            f"WHERE {column.name} IS NOT NULL"
        )
    return " UNION ALL ".join(parts)


ALERTS = Relation(
    "alerts",
    "One row for each alert: the published columns, those that filters have besides, and night.",
    f"SELECT *, CAST(floor(mjd_tai - {NOON}) AS INTEGER) AS night "  # noqa: S608  # ours
    f"FROM {alerts_view('archived_alerts')}",
)
OBJECTS = Relation(
    "objects",
    "One row for each object: its latest alert in short, and from when to when it was seen.",
    "SELECT survey, object_id, arg_max(alert_id, mjd_tai) AS alert_id, "
    "arg_max(ra_deg, mjd_tai) AS ra_deg, arg_max(dec_deg, mjd_tai) AS dec_deg, "
    "arg_max(healpix29, mjd_tai) AS healpix29, count(*) AS n_alerts, "
    "min(mjd_tai) AS first_mjd_tai, max(mjd_tai) AS last_mjd_tai, "
    "arg_max(band, mjd_tai) AS band, arg_max(flux_njy, mjd_tai) AS flux_njy, "
    "arg_max(flux_err_njy, mjd_tai) AS flux_err_njy, max(flux_njy) AS most_flux_njy, "
    "max(reliability) AS most_reliability, bool_or(is_simulated) AS is_simulated, "
    "arg_max(context['class'], mjd_tai) AS context_class, "
    "arg_max(redshift['value'], mjd_tai) AS best_redshift, "
    "arg_max(transient['class'], mjd_tai) AS transient_class, "
    "arg_max(transient.probability, mjd_tai) AS transient_probability "
    "FROM archived_alerts GROUP BY survey, object_id",
)
DETECTIONS = Relation(
    "detections",
    "One row for each point of an object's light curve, each once: where alerts disagree the "
    "later one is right. kind: 0 detection, 1 forced, 2 upper limit.",
    "SELECT survey, object_id, arg_max(alert_id, alert_mjd_tai) AS alert_id, "
    "arg_max(point_mjd_tai, alert_mjd_tai) AS mjd_tai, "
    "['u', 'g', 'r', 'i', 'z', 'y'][band_code + 1] AS band, kind, "
    "arg_max(flux_njy, alert_mjd_tai) AS flux_njy, "
    "arg_max(flux_err_njy, alert_mjd_tai) AS flux_err_njy FROM ("
    "SELECT survey, object_id, alert_id, mjd_tai AS alert_mjd_tai, "
    "unnest(lc_mjd_tai) AS point_mjd_tai, unnest(lc_flux_njy) AS flux_njy, "
    "unnest(lc_flux_err_njy) AS flux_err_njy, unnest(lc_band) AS band_code, "
    "unnest(lc_kind) AS kind FROM archived_alerts) "
    "GROUP BY survey, object_id, band_code, kind, round(point_mjd_tai * 86400)",
)
CLASSIFICATIONS = Relation(
    "classifications",
    "One row for each classifier's answer about an alert; probability is null where it abstained.",
    _verdicts(),
)
ASSOCIATIONS = Relation(
    "associations",
    "One row for each event of another messenger that an alert may belong to.",
    "SELECT survey, alert_id, object_id, ra_deg, dec_deg, mjd_tai, unnest(event) FROM ("
    "SELECT survey, alert_id, object_id, ra_deg, dec_deg, mjd_tai, "
    "unnest(associations) AS event FROM archived_alerts)",
)

RELATIONS: tuple[Relation, ...] = (ALERTS, OBJECTS, DETECTIONS, CLASSIFICATIONS, ASSOCIATIONS)
"""All of them."""

RELATION_NAMES = tuple(relation.name for relation in RELATIONS)


def create_relations(
    connection: Any,
    snapshots: Sequence[Snapshot],
    reader: Reader,
    nights: Collection[int] | None = None,
    cells29: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Make the views in a DuckDB connection that may read the snapshots' folders.

    Parameters
    ----------
    connection
        DuckDB's, with the functions of filters.
    snapshots
        What is read; only surveys that ``reader`` may see.
    reader
        Whose private hits are shown.
    nights
        Only files of these nights, and only their alerts.
    cells29
        Only files that may have alerts in these ranges of HEALPix cells.
    """
    fixed = pa.schema([f for f in PUBLISHED if f.name not in OPEN_STRUCTS])
    if not any(snapshot.files for snapshot in snapshots):
        fixed = pa.unify_schemas([*survey_schemas().values(), fixed], promote_options="permissive")
    connection.register("published_schema", fixed.empty_table())
    connection.execute("CREATE TABLE published_columns AS SELECT * FROM published_schema")
    connection.unregister("published_schema")
    parts = ["SELECT * FROM published_columns"]
    for number, snapshot in enumerate(snapshots):
        files = snapshot.alert_files(nights, cells29)
        private = _private_hits(connection, snapshot, reader, nights, f"private_{number}")
        for _, same in itertools.groupby(sorted(files, key=lambda f: f.schema), lambda f: f.schema):
            source = parquet_sql(snapshot, list(same))
            parts.append(_merged(source, private) if private else f"SELECT * FROM {source}")  # noqa: S608  # ours
    whole = " UNION ALL BY NAME ".join(f"({part})" for part in parts)
    where = _night_condition(nights) if nights is not None else ""
    connection.execute(f"CREATE VIEW archived_alerts AS SELECT * FROM ({whole}){where}")  # noqa: S608  # ours
    for relation in RELATIONS:
        connection.execute(f"CREATE VIEW {relation.name} AS {relation.sql}")


def parquet_sql(snapshot: Snapshot, files: Sequence[ParquetFile]) -> str:
    """DuckDB's table function over files of one schema."""
    listed = ", ".join(_quoted(snapshot.path(file)) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)"


def _private_hits(
    connection: Any,
    snapshot: Snapshot,
    reader: Reader,
    nights: Collection[int] | None,
    name: str,
) -> str:
    """A table of the lists that ``reader`` sees more of than others; its name, or nothing."""
    files = snapshot.private_files(nights)
    if reader.name is None or not files:
        return ""
    mine = f"lambda hit: hit.is_public OR hit.owner = {_text(reader.name)}"
    own = f"lambda hit: NOT hit.is_public AND hit.owner = {_text(reader.name)}"
    listed = ", ".join(_quoted(snapshot.path(file)) for file in files)
    connection.execute(
        f"CREATE TABLE {name} AS SELECT alert_id, "  # noqa: S608  # names and files are ours
        f"list_filter(watchlists, {mine}) AS watchlists, list_filter(regions, {mine}) AS regions "
        "FROM (SELECT alert_id, watchlists, regions FROM published_columns "
        "UNION ALL BY NAME SELECT * FROM "
        f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)) "
        f"WHERE len(list_filter(watchlists, {own})) > 0 OR len(list_filter(regions, {own})) > 0"
    )
    return name if connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] else ""  # noqa: S608  # ours


def _merged(source: str, private: str) -> str:
    """Alerts, where ``private`` has lists of them with these."""
    return (
        "SELECT alert.* REPLACE ("  # noqa: S608  # ours
        "CASE WHEN mine.alert_id IS NULL THEN alert.watchlists ELSE mine.watchlists END "
        "AS watchlists, "
        "CASE WHEN mine.alert_id IS NULL THEN alert.regions ELSE mine.regions END AS regions) "
        f"FROM (SELECT * FROM published_columns UNION ALL BY NAME SELECT * FROM {source}) AS alert "
        f"LEFT JOIN {private} AS mine USING (alert_id)"
    )


def _night_condition(nights: Collection[int]) -> str:
    """Consecutive nights are one span, so that Parquet's statistics can be used."""
    ordered = sorted(nights)
    firsts = [n for n in ordered if n - 1 not in nights]
    lasts = [n for n in ordered if n + 1 not in nights]
    spans = [
        f"(mjd_tai >= {first + NOON} AND mjd_tai < {last + 1 + NOON})"
        for first, last in zip(firsts, lasts, strict=True)
    ]
    return f" WHERE {' OR '.join(spans) or 'false'}"


def _quoted(path: Path) -> str:
    return _text(str(path))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
