"""Proves that a snapshot is what its manifest says: sizes, checksums, rows, order, no repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.archive.nightly.draft import checksum
from shared.archive.nights import nights_of
from shared.archive.snapshots import ParquetFile, Snapshot
from shared.sky.hats import DATASET
from shared.sky.healpix import DEEPEST_ORDER

_COLUMNS = ["alert_id", "healpix29", "mjd_tai"]


def verify(
    snapshot: Snapshot, advance: Callable[[int], None] = lambda size_bytes: None
) -> list[str]:
    """What is wrong with a snapshot; nothing if it is whole. Reads every file once.

    Parameters
    ----------
    snapshot
        Which.
    advance
        Told how many bytes more are done.
    """
    wrong: list[str] = []
    seen: dict[int, set[str]] = {}
    rows: Counter[int] = Counter()
    for file in snapshot.files:
        found = _wrong_file(snapshot, file)
        wrong += found
        if not found and not file.is_private:
            wrong += _wrong_alerts(snapshot, file, seen)
            rows.update(file.nights)
        advance(file.size_bytes)
    wrong += [
        f"night {night}: {rows[night]:,} alerts in files, not {facts.alerts:,}"
        for night, facts in sorted(snapshot.nights.items())
        if not wrong and rows[night] != facts.alerts
    ]
    listed = {snapshot.path(file) for file in snapshot.alert_files()}
    there = set((snapshot.catalog / DATASET).rglob("*.parquet"))
    return wrong + [f"{path} is not in the manifest" for path in sorted(there - listed)]


def _wrong_file(snapshot: Snapshot, file: ParquetFile) -> list[str]:
    path = snapshot.path(file)
    if not path.is_file():
        return [f"{path} is missing"]
    if path.stat().st_size != file.size_bytes or checksum(path) != file.sha256:
        return [f"{path} is not what was written: its size or checksum differs"]
    return []


def _wrong_alerts(snapshot: Snapshot, file: ParquetFile, seen: dict[int, set[str]]) -> list[str]:
    path = snapshot.path(file)
    try:
        table = pq.read_table(path, columns=_COLUMNS)
    except (OSError, pa.ArrowException) as error:
        return [f"{path} cannot be read: {error}"]
    wrong = []
    cells = table.column("healpix29").to_numpy()
    pixels = np.unique(cells >> (2 * (DEEPEST_ORDER - snapshot.order)))
    if len(pixels) != 1 or f"Npix={pixels[0]}" not in path.parts:
        wrong.append(f"{path} holds alerts of other pixels")
    if (np.diff(cells) < 0).any():
        wrong.append(f"{path} is not sorted")
    numbers = nights_of(table.column("mjd_tai").to_numpy())
    if dict(Counter(numbers.tolist())) != file.nights:
        wrong.append(f"{path} holds other nights than the manifest says")
    for night, alert_id in zip(numbers.tolist(), table.column(0).to_pylist(), strict=True):
        known = seen.setdefault(night, set())
        if alert_id in known:
            return [*wrong, f"{path}: alert {alert_id} is there twice"]
        known.add(alert_id)
    return wrong
