"""Alerts out of packed nights: as tables for whoever works on batches, and around a place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import duckdb
import pyarrow as pa

from shared.archive.cones import Cone, cone_ranges
from shared.archive.query import archive_connection, query_failure
from shared.archive.readers import Reader
from shared.archive.snapshots import Snapshot
from shared.filters.guard import Limits

READ_LIMITS = Limits(memory_mib=1024, seconds=120.0, threads=2)
ALERTS_PER_TABLE = 10_000


def alert_tables(
    snapshot: Snapshot,
    reader: Reader,
    *,
    nights: Collection[int] | None = None,
    columns: Sequence[str] | None = None,
    alert_ids: Sequence[str] | None = None,
    alerts_per_table: int = ALERTS_PER_TABLE,
    limits: Limits = READ_LIMITS,
) -> Iterator[pa.Table]:
    """The alerts of a survey, table by table, with the columns that envelopes have.

    Parameters
    ----------
    snapshot
        Of a survey that ``reader`` may see (``snapshots_for``).
    reader
        Whose private hits are in ``watchlists`` and ``regions``.
    nights
        Only these.
    columns
        Only these: a filter that names five columns is ten times as fast without the others. A
        struct without any member in all of the files is left out.
    alert_ids
        Only these.
    alerts_per_table
        Most rows of a table.
    limits
        Memory, time and threads of the reading.

    Raises
    ------
    QueryFailedError
        If a file is damaged or the limits are exceeded.
    """
    with archive_connection([snapshot], reader, limits, nights=nights) as connection:
        there = {row[0] for row in connection.execute("DESCRIBE archived_alerts").fetchall()}
        wanted = [name for name in columns if name in there] if columns else ["*"]
        chosen = ", ".join(name if name == "*" else f'"{name}"' for name in wanted)
        named = ""
        if alert_ids is not None:  # literals, which reach into Parquet's statistics
            listed = ", ".join("'" + one.replace("'", "''") + "'" for one in alert_ids)
            named = f"WHERE alert_id IN ({listed})" if alert_ids else "WHERE false"
        try:
            found = connection.sql(f"SELECT {chosen} FROM archived_alerts {named}")  # noqa: S608  # ours
            for batch in found.to_arrow_reader(alerts_per_table):
                yield pa.Table.from_batches([batch])
        except (duckdb.Error, MemoryError) as error:
            raise query_failure(error, limits) from error


def alerts_around(
    snapshots: Sequence[Snapshot],
    reader: Reader,
    cone: Cone,
    *,
    columns: Sequence[str] = ("survey", "alert_id", "object_id", "ra_deg", "dec_deg", "mjd_tai"),
    nights: Collection[int] | None = None,
    most_rows: int = 10_000,
    limits: Limits = READ_LIMITS,
) -> pa.Table:
    """Alerts within a cone, nearest first, with ``separation_arcsec``.

    Only files and row groups whose HEALPix cells the cone can touch are read.

    Raises
    ------
    ValueError
        If the place is not on the sphere or the radius not positive.
    QueryFailedError
        If a file is damaged or the limits are exceeded.
    """
    ranges = cone_ranges(cone)
    # Derived columns of the view may be named too.
    chosen = ", ".join(f'"{name}"' for name in columns)
    inside = " OR ".join(f"healpix29 >= {low} AND healpix29 < {high}" for low, high in ranges)
    place = f"{cone.ra_deg!r}, {cone.dec_deg!r}"
    sql = (
        f"SELECT {chosen}, degrees(2 * asin(least(1, sqrt("  # noqa: S608  # names and numbers
        f"power(sin(radians((dec_deg - {cone.dec_deg!r}) / 2)), 2) + cos(radians(dec_deg)) "
        f"* cos(radians({cone.dec_deg!r})) * power(sin(radians((ra_deg - {cone.ra_deg!r}) / 2)), 2)"
        "))))  * 3600 AS separation_arcsec FROM alerts "
        f"WHERE ({inside}) AND cone(ra_deg, dec_deg, {place}, {cone.radius_arcsec!r}) "
        f"ORDER BY separation_arcsec LIMIT {int(most_rows)}"
    )
    with archive_connection(snapshots, reader, limits, nights=nights, cells29=ranges) as connection:
        try:
            found: pa.Table = connection.sql(sql).to_arrow_table()
        except (duckdb.Error, MemoryError) as error:
            raise query_failure(error, limits) from error
    return found
