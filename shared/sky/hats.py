"""The layout of HATS catalogs: Parquet by HEALPix pixel, which lsdb and hats read without us.

Layout: the IVOA note "HATS: a standard for spatially partitioned catalogs"
(https://www.ivoa.net/documents/Notes/HATS/), as ``hats`` 0.11 reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from shared.sky.healpix import DEEPEST_ORDER

DATASET = "dataset"
FILE_SUFFIX = ".parquet"
"""``hats_npix_suffix`` of catalogs with one file for each pixel."""
FOLDER_SUFFIX = "/"
"""Of catalogs with a folder of files for each pixel."""
POINT_MAP_ORDER = 8
PIXELS_PER_FOLDER = 10_000


@dataclass(slots=True)
class HatsCounts:
    """What a catalog holds, counted while it is written."""

    pixels: dict[tuple[int, int], int] = field(default_factory=dict)
    """Rows of each partition, by order and pixel."""
    points: npt.NDArray[np.int32] = field(
        default_factory=lambda: np.zeros(12 << (2 * POINT_MAP_ORDER), np.int32)
    )
    """Rows in each cell of order 8."""
    size_bytes: int = 0

    def add(self, order: int, pixel: int, cells29: npt.NDArray[np.int64]) -> None:
        """Count rows of one partition."""
        self.pixels[order, pixel] = self.pixels.get((order, pixel), 0) + len(cells29)
        found, counts = np.unique(
            cells29 >> (2 * (DEEPEST_ORDER - POINT_MAP_ORDER)), return_counts=True
        )
        self.points[found] += counts.astype(np.int32)


def pixel_place(order: int, pixel: int) -> str:
    """Where a partition lies below ``dataset``, without a suffix."""
    return f"Norder={order}/Dir={pixel // PIXELS_PER_FOLDER * PIXELS_PER_FOLDER}/Npix={pixel}"


def describe_catalog(
    folder: Path,
    name: str,
    counts: HatsCounts,
    *,
    cell_column: str,
    default_columns: Sequence[str],
    suffix: str = FILE_SUFFIX,
    about: Mapping[str, str] | None = None,
) -> None:
    """Write the list of partitions, the map of points and the properties of a catalog.

    Parameters
    ----------
    folder
        Of the catalog; below it is ``dataset``.
    name
        The catalog's.
    counts
        What was written.
    cell_column
        Name of the column of HEALPix cells of order 29.
    default_columns
        What lsdb loads if it is not told what.
    suffix
        ``FILE_SUFFIX`` or ``FOLDER_SUFFIX``.
    about
        Further properties.
    """
    lines = [f"{order},{pixel}\n" for order, pixel in sorted(counts.pixels)]
    (folder / "partition_info.csv").write_text("Norder,Npix\n" + "".join(lines))
    _write_point_map(counts.points, folder / "point_map.fits")
    properties = {
        "obs_collection": name,
        "dataproduct_type": "object",
        "hats_nrows": sum(counts.pixels.values()),
        "hats_col_ra": "ra_deg",
        "hats_col_dec": "dec_deg",
        "hats_cols_default": " ".join(default_columns),
        "hats_col_healpix": cell_column,
        "hats_col_healpix_order": DEEPEST_ORDER,
        "hats_npix_suffix": suffix,
        "hats_order": max((order for order, _ in counts.pixels), default=0),
        "hats_max_rows": max(counts.pixels.values(), default=0),
        "hats_estsize": counts.size_bytes // 1024,
        "hats_builder": "tocsin",
        "hats_creation_date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MUTC"),
        "hats_version": "v0.1",
        "moc_sky_fraction": f"{np.count_nonzero(counts.points) / len(counts.points):.5f}",
        **(about or {}),
    }
    text = "#HATS catalog\n" + "".join(f"{k}={_escaped(v)}\n" for k, v in properties.items())
    for file_name in ("hats.properties", "properties"):
        (folder / file_name).write_text(text, encoding="utf-8")


def _escaped(value: Any) -> str:
    """A value of a Java properties file, on one line."""
    return " ".join(str(value).split()).replace("\\", "\\\\")


def _write_point_map(points: npt.NDArray[np.int32], path: Path) -> None:
    """The number of rows in each cell of order 8, as a HEALPix map in FITS."""
    unit = fits.BinTableHDU.from_columns(
        [fits.Column(name="VALUE", format="1024J", array=points.reshape(-1, 1024))],
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
