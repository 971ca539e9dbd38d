"""Writes a catalog in HATS layout: Parquet by HEALPix pixel, which lsdb and hats read without us.

Layout: the IVOA note "HATS: a standard for spatially partitioned catalogs"
(https://www.ivoa.net/documents/Notes/HATS/), as ``hats`` 0.11 reads it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from services.xmatch.store.partitions import Partition
from services.xmatch.store.standard import CELL
from shared.sky.healpix import DEEPEST_ORDER

DATASET = "dataset"
POINT_MAP_ORDER = 8
PIXELS_PER_FOLDER = 10_000
ROW_GROUP_ROWS = 200_000


class HatsWriter:
    """Writes partitions, then what tells readers of them."""

    def __init__(self, folder: Path) -> None:
        """Write into ``folder``, which is made."""
        self._folder = folder
        (folder / DATASET).mkdir(parents=True)
        self._footers: list[pq.FileMetaData] = []
        self._pixels: list[tuple[int, int, int]] = []
        self._points = np.zeros(12 << (2 * POINT_MAP_ORDER), np.int32)
        self._schema: pa.Schema | None = None
        self._bytes = 0

    def add(self, partition: Partition) -> None:
        """Write one partition."""
        order, pixel, table = partition.order, partition.pixel, partition.table
        place = (
            f"Norder={order}/Dir={pixel // PIXELS_PER_FOLDER * PIXELS_PER_FOLDER}/"
            f"Npix={pixel}.parquet"
        )
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
        self._pixels.append((order, pixel, table.num_rows))
        self._bytes += path.stat().st_size
        coarse = table.column(CELL).to_numpy() >> (2 * (DEEPEST_ORDER - POINT_MAP_ORDER))
        found, counts = np.unique(coarse, return_counts=True)
        self._points[found] += counts.astype(np.int32)

    def finish(self, name: str, default_columns: list[str], about: dict[str, str]) -> None:
        """Write metadata, partition list, map of points and properties."""
        dataset = self._folder / DATASET
        pq.write_metadata(self._schema, dataset / "_common_metadata")
        pq.write_metadata(self._schema, dataset / "_metadata", metadata_collector=self._footers)
        lines = [f"{order},{pixel}\n" for order, pixel, _ in sorted(self._pixels)]
        (self._folder / "partition_info.csv").write_text("Norder,Npix\n" + "".join(lines))
        _write_point_map(self._points, self._folder / "point_map.fits")
        properties = self._properties(name, default_columns) | about
        text = "#HATS catalog\n" + "".join(
            f"{key}={_escaped(value)}\n" for key, value in properties.items()
        )
        for file_name in ("hats.properties", "properties"):
            (self._folder / file_name).write_text(text, encoding="utf-8")

    def _properties(self, name: str, default_columns: list[str]) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MUTC")
        sky = np.count_nonzero(self._points) / len(self._points)
        return {
            "obs_collection": name,
            "dataproduct_type": "object",
            "hats_nrows": sum(rows for _, _, rows in self._pixels),
            "hats_col_ra": "ra_deg",
            "hats_col_dec": "dec_deg",
            "hats_cols_default": " ".join(default_columns),
            "hats_col_healpix": CELL,
            "hats_col_healpix_order": DEEPEST_ORDER,
            "hats_npix_suffix": ".parquet",
            "hats_order": max(order for order, _, _ in self._pixels),
            "hats_max_rows": max(rows for _, _, rows in self._pixels),
            "hats_estsize": self._bytes // 1024,
            "hats_builder": "tocsin",
            "hats_creation_date": now,
            "hats_version": "v0.1",
            "moc_sky_fraction": f"{sky:.5f}",
        }


def _escaped(value: Any) -> str:
    """A value of a Java properties file, on one line."""
    return " ".join(str(value).split()).replace("\\", "\\\\")


def _write_point_map(points: npt.NDArray[np.int32], path: Path) -> None:
    """The number of rows in each cell of order 8, as a HEALPix map in FITS."""
    rows = points.reshape(-1, 1024)
    unit = fits.BinTableHDU.from_columns(
        [fits.Column(name="VALUE", format="1024J", array=rows)],
        header=fits.Header(
            {
                "PIXTYPE": "HEALPIX",
                "ORDERING": "NESTED",
                "COORDSYS": "C",
                "INDXSCHM": "IMPLICIT",
                "NSIDE": 1 << POINT_MAP_ORDER,
                "FIRSTPIX": 0,
                "LASTPIX": len(points) - 1,
            }
        ),
    )
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(path)
