"""Imports a catalog: files in any format to a HATS catalog and the index that xmatch maps."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from services.xmatch.catalogs.base import NUMERIC_COLUMNS, Catalog, CatalogUnavailableError
from services.xmatch.indexing import description_of
from services.xmatch.store import versions
from services.xmatch.store.hats import HatsWriter
from services.xmatch.store.index_files import IndexFiles
from services.xmatch.store.partitions import MOST_ROWS, Spill, sorted_partitions
from services.xmatch.store.standard import REACH, Account, standard_table
from services.xmatch.store.tables import read_tables
from services.xmatch.store.versions import HATS, INDEX, MANIFEST, VERSION, Imported

MOST_BAD = 0.5
"""Share of bad rows above which the columns were surely mistaken."""

CHUNK_BYTES = 1 << 22


class Progress(Protocol):
    """Who is told how far an import is."""

    def phase(self, title: str, total: int | None) -> None:
        """A new phase begins, of ``total`` steps (bytes or rows) if known."""

    def advance(self, steps: int) -> None:
        """So many more steps are done."""


class Silent:
    """Tells nobody."""

    def phase(self, title: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, steps: int) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to import."""

    catalog: Catalog
    files: Sequence[Path]
    release: str
    """As it shall stand in the version, before the checksum; letters, digits, dots, hyphens."""
    definition: Mapping[str, Any] | None = None
    """An own list's, to be kept; None for a registered catalog."""
    again: bool = False
    """Import also if the same files are already there."""


def import_catalog(
    order: Order, folder: Path, progress: Progress | None = None, most_rows: int = MOST_ROWS
) -> Imported:
    """Import a catalog and let workers serve it.

    Rows pass through memory one partition at a time; the disk holds them twice for a
    while. Until the end nothing is to be seen of the new version, and then
    all of it.

    Parameters
    ----------
    order
        What to import.
    folder
        Where catalogs are kept.
    progress
        Who is told how far it is.
    most_rows
        Rows of a partition.

    Raises
    ------
    CatalogUnavailableError
        If a file is missing or damaged, or no row has a position.
    NoSuchCatalogError
        If the name cannot be one.
    """
    progress = progress or Silent()
    home = folder / versions.check_name(order.catalog.name)
    sources = _sources(order.files, progress)
    digest = hashlib.sha256("".join(s["sha256"] for s in sources).encode()).hexdigest()
    version = _version(order.release, digest)
    if (home / version / MANIFEST).is_file() and not order.again:
        raise CatalogUnavailableError(
            f"these files are already imported as {order.catalog.name}@{version}; "
            "--again imports them anew"
        )
    making = home / f".{version}.importing.{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        account = _build(order, making, version, sources, progress, most_rows)
        _write_manifest(order, making, version, account, sources, progress)
        _put_in_place(making, home / version)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        if not any(home.iterdir()):
            home.rmdir()
        raise
    versions.make_current(folder, order.catalog.name, version)
    return versions.find(folder, f"{order.catalog.name}@{version}")


def _sources(files: Sequence[Path], progress: Progress) -> list[dict[str, Any]]:
    """Name, size and checksum of every file."""
    if not files:
        raise CatalogUnavailableError("no file was given")
    every = []
    for path in files:
        if not path.exists():
            raise CatalogUnavailableError(f"{path} does not exist")
        parts = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        every += [(path, part) for part in parts]
    progress.phase("checksum", sum(part.stat().st_size for _, part in every))
    found = []
    for path, part in every:
        digest = hashlib.sha256()
        with part.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                progress.advance(len(chunk))
        name = path.name if part == path else str(Path(path.name) / part.relative_to(path))
        size = part.stat().st_size
        found.append({"file": name, "bytes": size, "sha256": digest.hexdigest()})
    return found


def _version(release: str, digest: str) -> str:
    version = f"{release}-{digest[:8]}"
    if not VERSION.fullmatch(version):
        raise CatalogUnavailableError(
            f"{release!r} cannot name a release: letters, digits, dots, hyphens, at most 70"
        )
    return version


def _build(
    order: Order,
    making: Path,
    version: str,
    sources: list[dict[str, Any]],
    progress: Progress,
    most_rows: int,
) -> Account:
    """Read, sort and write; returns the account of the rows."""
    account = Account()
    spilled = making / ".spilled"
    with Spill(spilled, 0) as spill:
        _read(order, spill, account, progress)
    progress.phase("sort and write", account.kept)
    hats = HatsWriter(making / HATS)
    with IndexFiles(order.catalog, making / INDEX) as index:
        names: list[str] = []
        for partition in sorted_partitions(spill, most_rows):
            hats.add(partition)
            index.add(partition.table)
            names = partition.table.column_names
            progress.advance(partition.table.num_rows)
        shutil.rmtree(spilled)
        index.finish(_provenance(order, version, account, sources))
    about = {
        "obs_title": order.catalog.title,
        "bib_reference": order.catalog.reference,
        "obs_rights": order.catalog.licence,
        "hats_release_date": version,
    }
    shown = [n for n in names if n in ("ra_deg", "dec_deg", "source_id", "source_class", REACH)]
    hats.finish(order.catalog.name, [*shown, *(n for n in NUMERIC_COLUMNS if n in names)], about)
    return account


def _read(order: Order, spill: Spill, account: Account, progress: Progress) -> None:
    """Spill the rows of all files.

    Raises
    ------
    CatalogUnavailableError
        If a file is damaged, no row has a position, or most have none.
    """
    progress.phase("read", None)
    for path in order.files:
        before = 0
        for table in read_tables(order.catalog, path):
            try:
                rows = order.catalog.rows(table)
                spill.add(standard_table(order.catalog, rows, account, path.name, before))
            except CatalogUnavailableError as error:
                raise CatalogUnavailableError(f"{path}: {error}") from error
            before += table.num_rows
            progress.advance(table.num_rows)
        account.read += before
    placed = account.kept + account.bad
    if not account.kept or account.bad > MOST_BAD * placed:
        shown = "; ".join(account.first_bad[:3])
        raise CatalogUnavailableError(
            f"{account.bad:,} of {placed:,} rows have no position on the sky"
            + (f" ({shown})" if shown else "")
            + ": look at the columns of right ascension and declination, and at their units"
        )


def _provenance(
    order: Order, version: str, account: Account, sources: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        **description_of(order.catalog, version),
        "release": order.release,
        "imported": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "rows_read": account.read,
        "bad_rows": account.bad,
        "first_bad_rows": account.first_bad,
        "left_out": account.left_out,
        "sources": sources,
        "definition": dict(order.definition) if order.definition else None,
    }


def _write_manifest(
    order: Order,
    making: Path,
    version: str,
    account: Account,
    sources: list[dict[str, Any]],
    progress: Progress,
) -> None:
    """Write what the version is, with size and checksum of every file of it."""
    paths = sorted(path for path in making.rglob("*") if path.is_file())
    progress.phase("checksum of what was written", sum(path.stat().st_size for path in paths))
    files = {}
    for path in paths:
        files[str(path.relative_to(making))] = fingerprint(path, progress)
    about = _provenance(order, version, account, sources) | {"rows": account.kept, "files": files}
    (making / MANIFEST).write_text(json.dumps(about, indent=2) + "\n")


def fingerprint(path: Path, progress: Progress) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            progress.advance(len(chunk))
    return {"bytes": size, "sha256": digest.hexdigest()}


def _put_in_place(making: Path, home: Path) -> None:
    """Rename; what was there goes away afterwards."""
    old = None
    if home.exists():
        old = home.with_name(f".{home.name}.replaced.{os.getpid()}")
        home.rename(old)
    making.rename(home)
    if old is not None:
        shutil.rmtree(old)
