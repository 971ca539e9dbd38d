"""Reads the published files of catalogs table by table, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.xmatch.catalogs.base import Catalog, CatalogUnavailableError


def read_tables(catalog: Catalog, path: Path) -> Iterator[pa.Table]:
    """The rows of a catalog's file in tables of its own columns.

    Raises
    ------
    CatalogUnavailableError
        If the file is missing, damaged or lacks a column; the message says which and how to
        mend it.
    """
    if catalog.tables is not None:
        yield from catalog.tables(path)
        return
    try:
        yield pq.read_table(path, columns=list(catalog.columns) or None)
    except (pa.ArrowException, OSError) as error:
        raise CatalogUnavailableError(f"{path}: {error}; {catalog.mend}") from error
