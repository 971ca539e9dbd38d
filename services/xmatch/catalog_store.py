"""Opens the catalogs of this machine, building the index of each the first time it is seen."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from services.xmatch.catalog_index import (
    FORMAT,
    CatalogIndex,
    DamagedIndexError,
    open_index,
)
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import Catalog, CatalogUnavailableError
from services.xmatch.catalogs.packaged import packaged_file
from services.xmatch.indexing import index_rows, save_index
from services.xmatch.store.tables import read_tables

log = structlog.get_logger()


def open_catalog(catalog: Catalog, folder: Path) -> CatalogIndex:
    """The index of one catalog, built if its file is new here or has changed.

    Parameters
    ----------
    catalog
        A registered catalog.
    folder
        Where indexes are kept, one folder for each release; older ones are left for processes
        that still use them.

    Raises
    ------
    CatalogUnavailableError
        If its file is missing or cannot be read.
    """
    source = packaged_file(catalog)
    with source.path.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    home = folder / f"{catalog.name}-{source.release}-{checksum[:8]}.v{FORMAT}"
    try:
        return open_index(home)
    except DamagedIndexError as error:
        if home.exists():
            log.warning("catalog_index_damaged", catalog=catalog.name, error=str(error))
            shutil.rmtree(home)
    (table,) = read_tables(catalog, source.path)
    index = index_rows(catalog, catalog.rows(table), source.release)
    origin = {"source_file": source.path.name, "source_sha256": checksum}
    complete = replace(index, provenance={**index.provenance, **origin})
    save_index(complete, home)
    log.info("catalog_indexed", **{k: complete.provenance[k] for k in
             ("catalog", "version", "rows", "bad_rows", "left_out", "source_sha256")})  # fmt: skip
    return open_index(home)


def open_catalogs(names: Sequence[str], folder: Path) -> list[CatalogIndex]:
    """The indexes of the named catalogs; one that is not to be had is skipped with a warning.

    Raises
    ------
    ValueError
        If a name is not registered.
    """
    unknown = [name for name in names if name not in CATALOGS]
    if unknown:
        raise ValueError(f"no catalog is named {unknown[0]!r}; there are {', '.join(CATALOGS)}")
    opened = []
    for name in names:
        try:
            index = open_catalog(CATALOGS[name], folder)
        except CatalogUnavailableError as error:
            log.warning("catalog_unavailable", catalog=name, error=str(error))
        else:
            opened.append(index)
    return opened
