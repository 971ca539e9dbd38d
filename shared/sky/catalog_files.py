"""Sorts a catalog of any size into files, one partition of the sky after the other.

HEALPix order is one order for the whole sky, so partitions that come in the order of their
cells, each sorted in memory, are sorted together once they lie behind one another in their
layers. Memory holds one partition and the bucket tables (25 MB a layer), whatever the size.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from shared.sky.catalog_layers import LayerRows, SkyRows, sorted_layers
from shared.sky.cone_search import SortedCatalog
from shared.sky.separation import ARCSEC_PER_RADIAN
from shared.sky.sorted_catalog import Layer, layer_tables

ROW_COLUMNS: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
    "cells29": (np.dtype(np.int64), ()),
    "vectors": (np.dtype(np.float64), (3,)),
    "reach_rad": (np.dtype(np.float64), ()),
    "motion": (np.dtype(np.float32), (4,)),
    "ellipse": (np.dtype(np.float32), (4,)),
}
"""Columns of ``SortedCatalog`` with a row for each row: type and shape of one."""

COPY_BYTES = 1 << 22


class SortedCatalogFiles:
    """Writes the columns of a ``SortedCatalog`` as ``.npy`` files in a folder.

    ``add`` every partition in the order of HEALPix cells, then ``finish``. Other columns of the
    catalog follow the same order if they are kept by layer: for each pair that ``add`` returns,
    append the rows it names to what is kept for that layer, and at the end put the layers behind
    one another in the order that ``finish`` returns.
    """

    def __init__(self, folder: Path, epoch_year: float = float("nan")) -> None:
        """Write into ``folder``, which exists; positions that move are of ``epoch_year``."""
        self._folder = folder
        self._parts = folder / ".layers"
        self._parts.mkdir()
        self._epoch_year = epoch_year
        self._reach: float | None = None
        self._layers: dict[int, Layer] = {}
        self._last_cell: dict[int, int] = {}
        self._streams: dict[Path, IO[bytes]] = {}

    def __enter__(self) -> Self:
        """For use in ``with``: what is unfinished leaves no files open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close and delete the unfinished layers."""
        for stream in self._streams.values():
            stream.close()
        shutil.rmtree(self._parts, ignore_errors=True)

    def add(self, rows: SkyRows) -> list[tuple[int, npt.NDArray[np.int64]]]:
        """Append one partition.

        Returns
        -------
        Layers and, for each, the rows of the partition that went there, in order.

        Raises
        ------
        ValueError
            If a row's cell is before one of an earlier partition, if one reach for all is not
            that of the earlier partitions, or as ``sorted_layers`` says.
        """
        pieces = sorted_layers(rows)
        reach = None if np.ndim(rows.reach_arcsec) else float(rows.reach_arcsec)
        if self._layers and reach != self._reach:
            raise ValueError("give one reach for all partitions, or one for each row in all")
        self._reach = reach
        for piece in pieces:
            if piece.cells29[0] < self._last_cell.get(piece.layer, 0):
                raise ValueError("partitions must come in the order of their HEALPix cells")
        for piece in pieces:
            self._last_cell[piece.layer] = int(piece.cells29[-1])
            self._layers.setdefault(piece.layer, Layer(piece.layer)).add(piece)
            self._append(piece)
        return [(piece.layer, piece.taken) for piece in pieces]

    def _append(self, piece: LayerRows) -> None:
        for name in ROW_COLUMNS:
            values = getattr(piece, name)
            if name == "reach_rad" and self._reach is not None:
                values = values[:0]
            path = self._part(piece.layer, name)
            if path not in self._streams:
                self._streams[path] = path.open("w+b")
            self._streams[path].write(np.ascontiguousarray(values).tobytes())

    def _part(self, layer: int, name: str) -> Path:
        return self._parts / f"{name}.{layer}"

    def finish(self) -> list[int]:
        """Write the columns and delete the layers; returns the layers' numbers in row order."""
        numbers = sorted(self._layers)
        for name in ROW_COLUMNS:
            self._join(name, numbers)
        cells29 = np.load(self._folder / "cells29.npy", mmap_mode="r")
        tables = layer_tables([self._layers[number] for number in numbers], cells29)
        tables["epoch_year"] = np.array([self._epoch_year])
        if self._reach is not None:
            tables["reach_rad"] = np.array([self._reach / ARCSEC_PER_RADIAN])
        for name, table in tables.items():
            np.save(self._folder / f"{name}.npy", table)
        shutil.rmtree(self._parts)
        return numbers

    def _join(self, name: str, numbers: list[int]) -> None:
        """Put one column's layers behind one another, with the header of a ``.npy`` file."""
        dtype, row_shape = ROW_COLUMNS[name]
        row_bytes = dtype.itemsize * int(np.prod(row_shape, dtype=np.int64))
        streams = [self._streams.pop(self._part(number, name)) for number in numbers]
        length = sum(stream.tell() for stream in streams) // row_bytes
        header = {"descr": dtype.str, "fortran_order": False, "shape": (length, *row_shape)}
        with (self._folder / f"{name}.npy").open("wb") as out:
            np.lib.format.write_array_header_1_0(out, header)
            for stream in streams:
                with stream:
                    stream.seek(0)
                    shutil.copyfileobj(stream, out, COPY_BYTES)
                Path(stream.name).unlink()


def mapped_catalog(folder: Path) -> SortedCatalog:
    """The catalog whose columns are ``.npy`` files in a folder, memory-mapped.

    Raises
    ------
    OSError, ValueError
        If a column is missing or is not what it should be.
    """
    columns: dict[str, Any] = {}
    for name in SortedCatalog.__slots__:
        columns[name] = np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)
    return SortedCatalog(**columns)
