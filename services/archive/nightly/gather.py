"""Alerts of a night put together by pixel, in memory as long as they fit and then in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.sky.healpix import DEEPEST_ORDER

MOST_BYTES = 96 << 20
"""Bytes of alerts in memory before they go to files."""


class GatheredAlerts:
    """Tables in, a table for each pixel out; each alert once, the first of its name."""

    def __init__(self, folder: Path, order: int, most_bytes: int = MOST_BYTES) -> None:
        """Put what does not fit into memory into ``folder``, which is made if need be."""
        self._folder = folder
        self._order = order
        self._most_bytes = most_bytes
        self._tables: dict[int, list[pa.Table]] = {}
        self._bytes = 0
        self._files: dict[int, list[Path]] = {}
        self._seen: set[str] = set()
        self.schemas: list[pa.Schema] = []
        """The schemas of what came in."""

    def __len__(self) -> int:
        """How many distinct alerts there are, those passed to ``pass_over`` included."""
        return len(self._seen)

    @property
    def pixels(self) -> list[int]:
        """Pixels that have alerts, in order."""
        return sorted(self._tables.keys() | self._files.keys())

    def pass_over(self, alert_ids: list[str]) -> None:
        """Take no alert of these names."""
        self._seen.update(alert_ids)

    def add(self, table: pa.Table) -> None:
        """Take alerts; those that are there already are passed over."""
        table = self._new_only(table)
        if not table.num_rows:
            return
        if not any(table.schema.equals(known) for known in self.schemas):
            self.schemas.append(table.schema)
        pixels = table.column("healpix29").to_numpy() >> (2 * (DEEPEST_ORDER - self._order))
        by_pixel = np.argsort(pixels, kind="stable")
        table, pixels = table.take(pa.array(by_pixel)), pixels[by_pixel]
        found, first = np.unique(pixels, return_index=True)
        for pixel, start, end in zip(found.tolist(), first, [*first[1:], len(pixels)], strict=True):
            self._tables.setdefault(pixel, []).append(table.slice(start, end - start))
        self._bytes += table.nbytes
        if self._bytes > self._most_bytes:
            self._spill()

    def take(self, pixel: int) -> list[pa.Table]:
        """The alerts of a pixel in the order in which they came, and forget them."""
        kept = [table for path in self._files.pop(pixel, ()) for table in _read(path)]
        return [*kept, *self._tables.pop(pixel, ())]

    def _new_only(self, table: pa.Table) -> pa.Table:
        names = table.column("alert_id").to_pylist()
        before = len(self._seen)
        if len(set(names)) == len(names) and self._seen.isdisjoint(names):
            self._seen.update(names)
            return table
        keep = np.zeros(len(names), np.bool_)
        for row, name in enumerate(names):
            self._seen.add(name)
            keep[row] = len(self._seen) > before
            before = len(self._seen)
        return table.filter(pa.array(keep))

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for pixel, tables in self._tables.items():
            files = self._files.setdefault(pixel, [])
            for number, same in enumerate(_by_schema(tables)):
                path = self._folder / f"{pixel}.{len(files)}.{number}.arrows"
                with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(
                    sink, same[0].schema
                ) as stream:  # fmt: skip
                    for table in same:
                        stream.write_table(table)
                files.append(path)
        self._tables.clear()
        self._bytes = 0


def sorted_alerts(table: pa.Table) -> pa.Table:
    """Alerts in order of HEALPix cell, then time."""
    order = pc.sort_indices(table, sort_keys=[("healpix29", "ascending"), ("mjd_tai", "ascending")])
    return table.combine_chunks().take(order)


def _by_schema(tables: list[pa.Table]) -> Iterator[list[pa.Table]]:
    """Runs of tables of one schema."""
    run: list[pa.Table] = []
    for table in tables:
        if run and not run[0].schema.equals(table.schema):
            yield run
            run = []
        run.append(table)
    if run:
        yield run


def _read(path: Path) -> list[pa.Table]:
    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
        table = stream.read_all()
    path.unlink()
    return [table]
