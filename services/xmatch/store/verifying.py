"""Proves that an imported catalog is what it was: checksums, order, counts."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.xmatch.catalog_index import CatalogIndex, DamagedIndexError, open_index
from services.xmatch.store.importing import Progress, Silent, fingerprint
from services.xmatch.store.standard import CELL
from services.xmatch.store.versions import Imported, NoSuchCatalogError
from shared.sky.hats import DATASET, FILE_SUFFIX, pixel_place
from shared.sky.healpix import DEEPEST_ORDER

CHUNK_ROWS = 5_000_000


def verify(one: Imported, progress: Progress | None = None) -> list[str]:
    """What is wrong with an imported version; nothing if it is whole.

    Reads every file once.
    """
    progress = progress or Silent()
    try:
        manifest = one.manifest()
    except NoSuchCatalogError as error:
        return [str(error)]
    progress.phase(f"{one.name}@{one.version}", sum(f["bytes"] for f in manifest["files"].values()))
    wrong = []
    for name, expected in manifest["files"].items():
        path = one.folder / name
        if not path.is_file():
            wrong.append(f"{path} is missing")
        elif fingerprint(path, progress) != expected:
            wrong.append(f"{path} is not what was written: its size or checksum differs")
    return wrong or [
        *_wrong_index(one.index, manifest["rows"]),
        *_wrong_hats(one, manifest["rows"]),
    ]


def _wrong_index(folder: Path, rows: int) -> list[str]:
    try:
        index = open_index(folder)
    except DamagedIndexError as error:
        return [str(error)]
    wrong = []
    if len(index.positions) != rows:
        wrong.append(f"{folder} has {len(index.positions):,} rows, not {rows:,}")
    if not _is_sorted(index):
        wrong.append(f"{folder / 'cells29.npy'} is not sorted")
    return wrong


def _is_sorted(index: CatalogIndex) -> bool:
    """Whether cells rise within each layer: they may fall once between two layers."""
    falls = 0
    cells = index.positions.cells29
    for first in range(0, len(cells), CHUNK_ROWS):
        falls += int((np.diff(cells[first : first + CHUNK_ROWS + 1]) < 0).sum())
    return falls < max(1, len(index.positions.bucket_orders))


def _wrong_hats(one: Imported, rows: int) -> list[str]:
    """Counts of the partitions, and whether their cells lie in their pixels."""
    wrong, counted = [], 0
    lines = (one.hats / "partition_info.csv").read_text().split()[1:]
    for order, pixel in (map(int, line.split(",")[:2]) for line in lines):
        place = pixel_place(order, pixel) + FILE_SUFFIX
        path = one.hats / DATASET / place
        try:
            footer = pq.read_metadata(path)
        except (OSError, pa.ArrowException) as error:
            wrong.append(f"{path} cannot be read: {error}")
            continue
        counted += footer.num_rows
        if not _cells_fit(footer, order, pixel):
            wrong.append(f"{path} holds rows of other pixels, or is not sorted")
    if counted != rows:
        wrong.append(f"{one.hats} has {counted:,} rows, not {rows:,}")
    return wrong


def _cells_fit(footer: pq.FileMetaData, order: int, pixel: int) -> bool:
    """By the statistics of the row groups."""
    place = footer.schema.names.index(CELL)
    spans = [footer.row_group(g).column(place).statistics for g in range(footer.num_row_groups)]
    bounds = [(span.min, span.max) for span in spans]
    shift = 2 * (DEEPEST_ORDER - order)
    inside = all(low >> shift == pixel == high >> shift for low, high in bounds)
    return inside and all(before[1] <= after[0] for before, after in itertools.pairwise(bounds))
