"""Sorts rows by HEALPix cell through files, so that memory holds one partition at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.store.standard import CELL
from shared.sky.healpix import DEEPEST_ORDER

MOST_ROWS = 500_000
"""Rows of a partition, above which it is parted further."""

DEEPEST_PARTITIONS = 12
MOST_STEPS = 4
"""Orders that one pass goes deeper: 256 files open at once."""

GATHERED_ROWS = 250_000


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of one HEALPix pixel, sorted by cell of order 29."""

    order: int
    pixel: int
    table: pa.Table


class Spill:
    """Rows in files, one file for each HEALPix pixel of an order."""

    def __init__(self, folder: Path, order: int) -> None:
        """Write into ``folder``, which is made."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.order = order
        self.rows: dict[int, int] = {}
        self._schema: pa.Schema | None = None
        self._streams: dict[int, tuple[pa.OSFile, pa.ipc.RecordBatchStreamWriter]] = {}

    def __enter__(self) -> Self:
        """For use in ``with``: files are closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def add(self, table: pa.Table) -> None:
        """Put rows where they belong.

        Raises
        ------
        CatalogUnavailableError
            If the columns are not those of earlier rows.
        """
        if self._schema is None:
            self._schema = table.schema
        elif table.schema != self._schema:
            raise CatalogUnavailableError(_difference(self._schema, table.schema))
        if not table.num_rows:
            return
        pixels = table.column(CELL).to_numpy() >> (2 * (DEEPEST_ORDER - self.order))
        by_pixel = np.argsort(pixels, kind="stable")
        table, pixels = table.take(pa.array(by_pixel)), pixels[by_pixel]
        found, first = np.unique(pixels, return_index=True)
        for pixel, start, end in zip(found.tolist(), first, [*first[1:], len(pixels)], strict=True):
            self._stream(pixel).write_table(table.slice(start, end - start))
            self.rows[pixel] = self.rows.get(pixel, 0) + int(end - start)

    def _stream(self, pixel: int) -> pa.ipc.RecordBatchStreamWriter:
        if pixel not in self._streams:
            sink = pa.OSFile(str(self._path(pixel)), "wb")
            self._streams[pixel] = sink, pa.ipc.new_stream(sink, self._schema)
        return self._streams[pixel][1]

    def _path(self, pixel: int) -> Path:
        return self.folder / f"{pixel}.arrows"

    def close(self) -> None:
        """End the files; nothing can be added any more."""
        for sink, stream in self._streams.values():
            stream.close()
            sink.close()
        self._streams.clear()

    def tables(self, pixel: int) -> Iterator[pa.Table]:
        """The rows of a pixel, a quarter of a million at a time."""
        with pa.OSFile(str(self._path(pixel))) as source, pa.ipc.open_stream(source) as stream:
            gathered, rows = [], 0
            for batch in stream:
                gathered.append(batch)
                rows += batch.num_rows
                if rows >= GATHERED_ROWS:
                    yield pa.Table.from_batches(gathered)
                    gathered, rows = [], 0
            if gathered:
                yield pa.Table.from_batches(gathered)

    def forget(self, pixel: int) -> None:
        """Delete the rows of a pixel."""
        self._path(pixel).unlink()


def sorted_partitions(
    spill: Spill, most_rows: int = MOST_ROWS, parted: Callable[[int], None] = lambda rows: None
) -> Iterator[Partition]:
    """All rows of a spill in the order of their cells; what has been given is deleted.

    Parameters
    ----------
    spill
        Closed.
    most_rows
        Partitions with more rows are parted into smaller ones, down to order 12.
    parted
        Told how many rows each pass has moved.
    """
    for pixel in sorted(spill.rows):
        rows = spill.rows[pixel]
        if rows <= most_rows or spill.order >= DEEPEST_PARTITIONS:
            table = pa.concat_tables(spill.tables(pixel)).combine_chunks()
            spill.forget(pixel)
            order = np.argsort(table.column(CELL).to_numpy(), kind="stable")
            yield Partition(spill.order, pixel, table.take(pa.array(order)))
            continue
        steps = min(MOST_STEPS, max(1, math.ceil(math.log(rows / most_rows, 4))))
        deeper = min(spill.order + steps, DEEPEST_PARTITIONS)
        with Spill(spill.folder / str(pixel), deeper) as finer:
            for table in spill.tables(pixel):
                finer.add(table)
                parted(table.num_rows)
        spill.forget(pixel)
        yield from sorted_partitions(finer, most_rows, parted)


def _difference(first: pa.Schema, other: pa.Schema) -> str:
    lacking = sorted(set(first.names) - set(other.names))
    added = sorted(set(other.names) - set(first.names))
    if lacking or added:
        told = [f"lacks {', '.join(lacking)}"] if lacking else []
        told += [f"has {', '.join(added)} besides"] if added else []
        return f"its columns are not those of the files before: it {' and '.join(told)}"
    changed = [name for name in first.names if first.field(name).type != other.field(name).type]
    return f"its columns {', '.join(changed)} are of another type than in the files before"
