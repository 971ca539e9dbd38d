"""Reads the published files of catalogs table by table, in memory that does not grow with them.

What a file is shows in its first bytes, not in its name: Parquet, FITS, VOTable, text (CSV and
the like, plain, gzip or the only member of a zip). A directory is a HATS catalog, or any tree
of Parquet files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from services.xmatch.catalogs.base import Catalog, CatalogUnavailableError
from services.xmatch.store.fits_tables import read_fits
from services.xmatch.store.text_tables import read_text
from services.xmatch.store.votables import read_votable

BATCH_ROWS = 250_000
"""Rows of one table: some tens of megabytes."""

HEAD_BYTES = 512


def read_tables(catalog: Catalog, path: Path) -> Iterator[pa.Table]:
    """The rows of one of a catalog's files in tables of its own columns.

    Raises
    ------
    CatalogUnavailableError
        If the file is missing, damaged or of no known format; the message names the file, the
        row where it is known, and how to mend it.
    """
    try:
        reader = catalog.tables or _reader(catalog, path)
        yield from reader(path)
    except CatalogUnavailableError as error:
        told = str(error) if str(path) in str(error) else f"{path}: {error}"
        mended = told if "run: " in told else f"{told}; get it anew, then run: {catalog.mend}"
        raise CatalogUnavailableError(mended) from error
    except (pa.ArrowException, OSError, EOFError) as error:
        raise CatalogUnavailableError(
            f"{path} is damaged or cannot be read: {' '.join(str(error).split())}; "
            f"get it anew, then run: {catalog.mend}"
        ) from error


def _reader(catalog: Catalog, path: Path) -> Callable[[Path], Iterator[pa.Table]]:
    """What reads this file."""
    if path.is_dir():
        return lambda folder: _read_folder(folder, catalog.columns)
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head:
        raise CatalogUnavailableError("it is empty")
    if head.startswith(b"PAR1"):
        return lambda file: _read_parquet(file, catalog.columns)
    if head.startswith(b"SIMPLE  ="):
        return lambda file: read_fits(file, catalog.columns, BATCH_ROWS)
    if b"<VOTABLE" in head or head.lstrip().startswith(b"<?xml"):
        return lambda file: read_votable(file, BATCH_ROWS)
    return lambda file: read_text(file, catalog.text, catalog.columns)


def _read_parquet(path: Path, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        names = _wanted(file.schema_arrow.names, columns)
        for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
            yield pa.Table.from_batches([batch])


def _read_folder(folder: Path, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    files = sorted(
        path
        for path in folder.rglob("*.parquet")
        if not path.name.startswith((".", "_")) and path.name != "data_thumbnail.parquet"
    )
    if not files:
        raise CatalogUnavailableError("the folder holds no Parquet files")
    for path in files:
        try:
            yield from _read_parquet(path, columns)
        except (pa.ArrowException, OSError) as error:
            raise CatalogUnavailableError(f"{path} is damaged: {error}") from error


def _wanted(names: list[str], columns: tuple[str, ...]) -> list[str] | None:
    """Those of the file's columns that are wanted, in any case; None for all."""
    if not columns:
        return None
    lowered = {column.lower() for column in columns}
    return [name for name in names if name.lower() in lowered]
