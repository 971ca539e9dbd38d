"""Writes a catalog in HATS layout (``shared/sky/hats.py``), one file for each partition."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.xmatch.store.partitions import Partition
from services.xmatch.store.standard import CELL
from shared.sky.hats import DATASET, FILE_SUFFIX, HatsCounts, describe_catalog, pixel_place

ROW_GROUP_ROWS = 200_000


class HatsWriter:
    """Writes partitions, then what tells readers of them."""

    def __init__(self, folder: Path) -> None:
        """Write into ``folder``, which is made."""
        self._folder = folder
        (folder / DATASET).mkdir(parents=True)
        self._footers: list[pq.FileMetaData] = []
        self._counts = HatsCounts()
        self._schema: pa.Schema | None = None

    def add(self, partition: Partition) -> None:
        """Write one partition."""
        order, pixel, table = partition.order, partition.pixel, partition.table
        place = pixel_place(order, pixel) + FILE_SUFFIX
        path = self._folder / DATASET / place
        path.parent.mkdir(parents=True, exist_ok=True)
        footers: list[pq.FileMetaData] = []
        pq.write_table(
            table,
            path,
            compression="zstd",
            row_group_size=ROW_GROUP_ROWS,
            metadata_collector=footers,
        )
        footers[0].set_file_path(place)
        self._footers.append(footers[0])
        self._schema = table.schema
        self._counts.add(order, pixel, table.column(CELL).to_numpy())
        self._counts.size_bytes += path.stat().st_size

    def finish(self, name: str, default_columns: list[str], about: dict[str, str]) -> None:
        """Write metadata, partition list, map of points and properties."""
        dataset = self._folder / DATASET
        pq.write_metadata(self._schema, dataset / "_common_metadata")
        pq.write_metadata(self._schema, dataset / "_metadata", metadata_collector=self._footers)
        describe_catalog(
            self._folder,
            name,
            self._counts,
            cell_column=CELL,
            default_columns=default_columns,
            about=about,
        )
