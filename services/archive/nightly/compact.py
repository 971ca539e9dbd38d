"""Rewrites snapshots: few large files instead of many small ones, and without old nights."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.archive.nightly.columns import stored_schema, stored_table
from services.archive.nightly.draft import Draft
from services.archive.nightly.gather import GatheredAlerts, sorted_alerts
from shared.archive.nights import nights_of
from shared.archive.snapshots import ParquetFile, Snapshot, current_snapshot
from shared.sky.healpix import DEEPEST_ORDER

MOST_ROWS = 500_000
"""Alerts of a pixel above which compaction takes a finer order."""
FINEST_ORDER = 8


@dataclass(frozen=True, slots=True)
class Retention:
    """What forgetting old nights would do, or did."""

    survey: str
    nights: tuple[int, ...]
    alerts: int
    size_bytes: int
    """Of the files that go; files of several nights are rewritten."""


def compact(root: Path, survey: str, *, order: int | None = None) -> Snapshot | None:
    """Put the files of all nights together, one for each pixel; None if there is nothing to do.

    Parameters
    ----------
    order
        HEALPix order of the pixels; None: the current one, or finer where pixels have more than
        half a million alerts.

    Raises
    ------
    WriterBusyError
        If another process writes this survey.
    """
    with Draft(root, survey) as draft:
        before = draft.before
        if before is None or not before.files:
            return None
        wanted = _order_for(before) if order is None else order
        by_pixel = _by_pixel(before, min(wanted, before.order))
        is_compact = wanted == before.order and all(len(files) == 1 for files in by_pixel.values())
        if is_compact and len(before.private_files()) <= 1:
            return None
        schema = _schema_of(before, before.alert_files())
        for pixel, files in sorted(by_pixel.items()):
            if wanted == before.order and len(files) == 1:
                draft.keep(files)
            else:
                _write_pixel(draft, before, files, wanted, schema, pixel)
        _write_private(draft, before, None)
        return draft.publish(wanted, dict(before.nights), schema, None)


def retain(root: Path, survey: str, oldest: int, *, dry_run: bool) -> Retention:
    """Forget nights before ``oldest``; with ``dry_run`` only say which.

    Raises
    ------
    WriterBusyError
        If another process writes this survey.
    """
    before = current_snapshot(root, survey)
    gone = sorted(n for n in before.nights if n < oldest) if before else []
    if before is None or not gone:
        return Retention(survey, (), 0, 0)
    touched = before.alert_files(gone)
    outcome = Retention(
        survey,
        tuple(gone),
        sum(before.nights[n].alerts for n in gone),
        sum(f.size_bytes for f in touched if f.nights.keys() <= set(gone)),
    )
    if not dry_run:
        _without(root, survey, set(gone))
    return outcome


def _without(root: Path, survey: str, gone: set[int]) -> None:
    with Draft(root, survey) as draft:
        before = draft.before
        if before is None:
            return
        schema = _schema_of(before, before.alert_files())
        for file in before.alert_files():
            left = file.nights.keys() - gone
            if left == file.nights.keys():
                draft.keep([file])
            elif left:
                table = _only_nights(pq.read_table(before.path(file)), left)
                pixel = file.cells29[0] >> (2 * (DEEPEST_ORDER - before.order))
                draft.write_alerts(before.order, pixel, _name(left), table)
        _write_private(draft, before, set(before.nights) - gone)
        nights = {n: facts for n, facts in before.nights.items() if n not in gone}
        draft.publish(before.order, nights, schema, None)


def _write_pixel(
    draft: Draft,
    before: Snapshot,
    files: list[ParquetFile],
    order: int,
    schema: pa.Schema,
    pixel: int,
) -> None:
    """Write the alerts of some files again, sorted, by pixels of ``order``."""
    alerts = GatheredAlerts(draft.folder / f".gathered-{pixel}", order)
    nights: set[int] = set()
    for file in files:
        alerts.add(pq.read_table(before.path(file)))
        nights |= file.nights.keys()
    for found in alerts.pixels:
        table = sorted_alerts(stored_table(alerts.take(found), schema))
        draft.write_alerts(order, found, _name(nights), table)


def _write_private(draft: Draft, before: Snapshot, nights: Collection[int] | None) -> None:
    """Private hits of ``nights`` (None: all) in one file."""
    tables = [pq.read_table(before.path(file)) for file in before.private_files()]
    if not tables:
        return
    table = stored_table(tables, stored_schema([one.schema for one in tables]))
    if nights is not None:
        table = _only_nights(table, nights)
    if table.num_rows:
        numbers = np.unique(nights_of(table.column("mjd_tai").to_numpy()))
        draft.write_private(_name(numbers.tolist()), table)


def _only_nights(table: pa.Table, nights: Collection[int]) -> pa.Table:
    return table.filter(
        pa.array(np.isin(nights_of(table.column("mjd_tai").to_numpy()), sorted(nights)))
    )


def _schema_of(snapshot: Snapshot, files: Iterable[ParquetFile]) -> pa.Schema:
    """The columns of all files; one file of each kind is opened."""
    kinds = {file.schema: file for file in files}
    return stored_schema([pq.read_schema(snapshot.path(file)) for file in kinds.values()])


def _by_pixel(snapshot: Snapshot, order: int) -> dict[int, list[ParquetFile]]:
    found: dict[int, list[ParquetFile]] = {}
    for file in snapshot.alert_files():
        found.setdefault(file.cells29[0] >> (2 * (DEEPEST_ORDER - order)), []).append(file)
    return found


def _order_for(snapshot: Snapshot) -> int:
    """The current order, or finer until no pixel has too many, alerts taken as evenly spread."""
    order = snapshot.order
    most = max(sum(f.rows for f in files) for files in _by_pixel(snapshot, order).values())
    while most > MOST_ROWS and order < FINEST_ORDER:
        order += 1
        most //= 4
    return order


def _name(nights: Collection[int]) -> str:
    first, last = min(nights), max(nights)
    return str(first) if first == last else f"{first}-{last}"
