"""Packs a night: alerts in, files of that night in the next snapshot out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.archive.nightly.columns import stored_schema, stored_table
from services.archive.nightly.draft import Draft
from services.archive.nightly.gather import GatheredAlerts, sorted_alerts
from shared.archive.snapshots import Night, Snapshot
from shared.privacy import private_owners, seen_by
from shared.sky.hats import HatsCounts

ROWS_PER_FILE = 5_000
"""What a night's files should hold at most, if its alerts were all over the sky: smaller files
cost every reader, fewer pixels cost whoever looks at a small field."""
FINEST_ORDER = 6
PRIVATE_COLUMNS = ("alert_id", "mjd_tai", "watchlists", "regions")


@dataclass(frozen=True, slots=True)
class Packed:
    """What packing a night did."""

    snapshot: Snapshot | None
    """The snapshot that holds it; None if there is nothing at all."""
    new: int
    """Alerts that were not packed before."""
    repeats: int
    """Alerts that came more than once, or were packed before."""


def order_for(alerts: int) -> int:
    """HEALPix order of a catalog whose nights have so many alerts."""
    order = 0
    while order < FINEST_ORDER and alerts > ROWS_PER_FILE * (12 << (2 * order)):
        order += 1
    return order


def pack_night(
    root: Path,
    survey: str,
    night: int,
    tables: Iterable[pa.Table],
    *,
    expected: int,
    envelopes: int = 0,
    order: int | None = None,
    now: dt.datetime | None = None,
) -> Packed:
    """Put the alerts of a night into Parquet, those that are not there yet, each once.

    Parameters
    ----------
    root
        Of the archive's Parquet.
    survey, night
        Which night.
    tables
        All its alerts; may be read again and again.
    expected
        About how many they are: decides the pixels of a survey's first snapshot.
    envelopes
        How many documents of the database they came in.
    order
        HEALPix order of a first snapshot, if not by ``expected``.
    now
        When; for tests.

    Raises
    ------
    WriterBusyError
        If another process writes this survey.
    """
    packed_at = (now or dt.datetime.now(dt.UTC)).isoformat(timespec="seconds")
    with Draft(root, survey) as draft:
        before = draft.before
        if before is not None:
            order = before.order
        elif order is None:
            order = order_for(expected)
        alerts = GatheredAlerts(draft.folder / ".gathered", order)
        known = 0
        if before is not None and night in before.nights:
            alerts.pass_over(_packed_ids(before, night))
            known = len(alerts)
        came = 0
        for table in tables:
            came += table.num_rows
            alerts.add(table)
        new = len(alerts) - known
        facts = Night((before.nights[night].alerts if known else 0) + new, envelopes, packed_at)  # type: ignore[union-attr]  # known: it is there
        is_known = before is not None and night in before.nights
        if not new and (not is_known or before.nights[night].envelopes == envelopes):  # type: ignore[union-attr]  # known means there is one
            return Packed(before, 0, came)
        draft.keep(before.files if before else ())
        schema = stored_schema(alerts.schemas) if new else pa.schema([])
        counts = HatsCounts()
        for pixel in alerts.pixels:
            table = sorted_alerts(stored_table(alerts.take(pixel), schema))
            public = _without_private(draft, str(night), table)
            draft.write_alerts(order, pixel, str(night), public)
            counts.add(order, pixel, public.column("healpix29").to_numpy())
        nights = {**(before.nights if before else {}), night: facts}
        return Packed(draft.publish(order, nights, schema, counts), new, came - new)


def _without_private(draft: Draft, name: str, table: pa.Table) -> pa.Table:
    """The table without private hits; rows that have any go beside it with their lists in full."""
    owners = private_owners(table)
    if not owners:
        return table
    rows = np.logical_or.reduce(list(owners.values()))
    columns = [column for column in PRIVATE_COLUMNS if column in table.column_names]
    draft.write_private(name, table.select(columns).filter(pa.array(rows)))
    return seen_by(table, None)


def _packed_ids(snapshot: Snapshot, night: int) -> list[str]:
    """Alerts of a night that are packed; of files of several nights, a few more."""
    names: list[str] = []
    for file in snapshot.alert_files([night]):
        table = pq.read_table(snapshot.path(file), columns=["alert_id"])
        names += table.column(0).to_pylist()
    return names
