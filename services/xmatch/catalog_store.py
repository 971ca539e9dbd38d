"""Opens the catalogs of this machine: imported versions, and what packages bring.

An imported version goes before a package's file. The file of a package is indexed the first
time it is seen; that takes seconds, a second time milliseconds.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import structlog

from services.xmatch.catalog_index import FORMAT, CatalogIndex, DamagedIndexError, open_index
from services.xmatch.catalogs import CATALOGS, PACKAGED
from services.xmatch.catalogs.base import Catalog, CatalogUnavailableError
from services.xmatch.catalogs.packaged import SourceFile, packaged_file
from services.xmatch.indexing import index_rows, save_index
from services.xmatch.store.tables import read_tables
from services.xmatch.store.versions import INDEX, current_version, imported_names

log = structlog.get_logger()

ALL = "all"
"""In place of names: every catalog that a package brings and every imported one."""

PACKAGES = "packages"
"""Folder of the indexes of packages' files."""

PRIVATE_KINDS = ("watchlist", "region")
"""What ``ALL`` does not mean: catalogs of single users."""


def names_of(wanted: str | Sequence[str], folder: Path) -> list[str]:
    """The catalogs that are meant by ``vsx,gcvs`` or ``all``, without repetition.

    Raises
    ------
    ValueError
        If a name is neither registered nor imported.
    """
    parts = wanted.split(",") if isinstance(wanted, str) else wanted
    imported = imported_names(folder)
    names: list[str] = []
    for name in filter(None, (part.strip() for part in parts)):
        names += [*PACKAGED, *imported] if name == ALL else [name]
    unknown = [name for name in names if name not in CATALOGS and name not in imported]
    if unknown:
        there = ", ".join(dict.fromkeys([*CATALOGS, *imported]))
        raise ValueError(f"no catalog is named {unknown[0]!r}; there are {there}")
    return list(dict.fromkeys(names))


def version_of(name: str, folder: Path) -> str | None:
    """What would be opened: the imported version, or the package's release; None if neither."""
    version = current_version(folder, name)
    if version is not None or name not in CATALOGS or CATALOGS[name].package is None:
        return version
    try:
        return packaged_file(CATALOGS[name]).release
    except CatalogUnavailableError:
        return None


def open_named(name: str, folder: Path) -> CatalogIndex:
    """The index of the current version of a catalog, registered or not.

    Raises
    ------
    CatalogUnavailableError
        If it is not there, cannot be read or is damaged; the message says how to mend it.
    """
    version = current_version(folder, name)
    if version is not None:
        return _open_imported(name, version, folder)
    if name not in CATALOGS:
        raise CatalogUnavailableError(
            f"{name} is neither registered nor imported; run: tocsin catalogs import {name} FILE"
        )
    return _open_packaged(CATALOGS[name], folder)


def open_catalog(catalog: Catalog, folder: Path) -> CatalogIndex:
    """``open_named`` of a registered catalog."""
    return open_named(catalog.name, folder)


def open_catalogs(names: str | Sequence[str], folder: Path) -> list[CatalogIndex]:
    """The indexes of the named catalogs; one that is not to be had is skipped with a warning.

    Raises
    ------
    ValueError
        If a name is neither registered nor imported.
    """
    parts = names.split(",") if isinstance(names, str) else names
    by_name = {part.strip() for part in parts}
    opened = []
    for name in names_of(names, folder):
        try:
            index = open_named(name, folder)
        except CatalogUnavailableError as error:
            log.warning("catalog_unavailable", catalog=name, error=str(error))
            continue
        if name not in by_name and index.kind in PRIVATE_KINDS:
            continue
        opened.append(index)
    return opened


def _open_imported(name: str, version: str, folder: Path) -> CatalogIndex:
    try:
        return open_index(folder / name / version / INDEX)
    except DamagedIndexError as error:
        raise CatalogUnavailableError(
            f"{name}@{version} is damaged: {error}; run: tocsin catalogs import {name} --again "
            "with its files, or go back to another version: tocsin catalogs remove "
            f"{name}@{version}"
        ) from error


def _open_packaged(catalog: Catalog, folder: Path) -> CatalogIndex:
    source = packaged_file(catalog)
    checksum = _checksum(source)
    home = folder / PACKAGES / f"{catalog.name}-{source.release}-{checksum[:8]}.v{FORMAT}"
    try:
        return open_index(home)
    except DamagedIndexError as error:
        if home.exists():
            log.warning("catalog_index_damaged", catalog=catalog.name, error=str(error))
            shutil.rmtree(home)
    tables = [table for path in source.paths for table in read_tables(catalog, path)]
    try:
        rows = catalog.rows(pa.concat_tables(tables))
    except CatalogUnavailableError as error:
        raise CatalogUnavailableError(f"{source.paths[0]}: {error}") from error
    index = index_rows(catalog, rows, source.release)
    origin = {
        "source_file": ", ".join(path.name for path in source.paths),
        "source_sha256": checksum,
    }
    complete = replace(index, provenance={**index.provenance, **origin})
    save_index(complete, home)
    told = ("catalog", "version", "rows", "bad_rows", "left_out", "source_sha256")
    log.info("catalog_indexed", **{name: complete.provenance[name] for name in told})
    return open_index(home)


def _checksum(source: SourceFile) -> str:
    """SHA-256 of the files, one after the other."""
    digest = hashlib.sha256()
    for path in source.paths:
        with path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()
