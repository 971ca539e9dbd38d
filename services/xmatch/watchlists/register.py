"""The lists and regions of a state folder: imported, versioned, compiled, removed.

``entries/<key>/<version>`` holds what was imported; ``compiled/<identity>`` the index of the
latest version of everything; the file ``current`` names the one to use and is replaced at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from services.xmatch.watchlists.compiled import FORMAT, open_watched, save_watched, write_batch
from services.xmatch.watchlists.entries import (
    MOST_ROWS,
    Entry,
    WatchlistError,
    key_of,
    sha256_of,
)
from services.xmatch.watchlists.positions import ColumnNames, WatchRows, read_positions
from services.xmatch.watchlists.sky_regions import moc_format, read_region, sky_fraction

ENTRY, ROWS, RANGES = "entry.json", "rows.arrow", "ranges.npy"
KEPT_VERSIONS = 3
"""Versions of one entry that stay on disk; the latest is the one that is matched."""
CURRENT = "current"
_COLUMNS = ("ra_deg", "dec_deg", "radius_arcsec")


class Register:
    """All that is watched here.

    Parameters
    ----------
    folder
        Where it is kept; made when the first entry comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(
        self, path: Path, *, name: str, owner: str, is_public: bool, names: ColumnNames
    ) -> Entry:
        """Import a file as the next version of ``owner``'s ``name``, and compile.

        Raises
        ------
        WatchlistError
            If the file or a name is not acceptable; nothing has changed then.
        """
        if not path.is_file():
            raise WatchlistError(f"no file {path}")
        kind = "region" if moc_format(path) is not None else "positions"
        with self._locked():
            before = self._versions(key_of(owner, name))
            known: dict[str, object] = {
                "kind": kind, "name": name, "owner": owner, "is_public": is_public,
                "version": before[-1] + 1 if before else 1, "source_file": path.name,
                "imported_ms": int(time.time() * 1000), "source_sha256": sha256_of(path),
            }  # fmt: skip
            _validated(known | {"rows": 0})
            if kind == "region":
                ranges = read_region(path)
                size = {"rows": len(ranges), "sky_fraction": sky_fraction(ranges)}
                return self._keep(_validated({**known, **size}), ranges)
            rows = read_positions(path, names)
            measured: dict[str, object] = {
                "rows": len(rows.ra_deg), "bad_rows": rows.bad_rows,
                "first_bad_rows": rows.first_bad_rows,
            }  # fmt: skip
            return self._keep(_validated({**known, **measured}), rows)

    def entries(self) -> list[Entry]:
        """The latest version of every list and region, by owner and name."""
        keys = [path.name for path in sorted((self._folder / "entries").glob("*"))]
        latest = [(key, self._versions(key)) for key in keys]
        found = [self._entry(key, versions[-1]) for key, versions in latest if versions]
        return sorted(found, key=lambda entry: (entry.owner, entry.name))

    def find(self, name: str, owner: str | None) -> Entry:
        """The latest version of a list or region.

        Raises
        ------
        WatchlistError
            If there is none, or several owners have one of that name and ``owner`` is None.
        """
        found = [e for e in self.entries() if e.name == name and owner in {None, e.owner}]
        if not found:
            of_whom = f" of {owner}" if owner else ""
            raise WatchlistError(
                f"no list or region {name!r}{of_whom}; see: tocsin watchlists list"
            )
        if len(found) > 1:
            owners = ", ".join(entry.owner for entry in found)
            raise WatchlistError(f"{owners} each have a {name!r}: choose with --owner")
        return found[0]

    def remove(self, entry: Entry) -> None:
        """Forget all versions of a list or region, and compile."""
        with self._locked():
            home = self._folder / "entries" / entry.key
            gone = home.with_name(f".{home.name}.{os.getpid()}")
            home.rename(gone)
            shutil.rmtree(gone)
            self._compile()

    def compile(self) -> str:
        """Make the index anew from what was imported; returns its identity."""
        with self._locked():
            return self._compile()

    def current(self) -> Path | None:
        """The folder of the index to use; None if nothing is watched."""
        try:
            identity = (self._folder / CURRENT).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        return self._folder / "compiled" / identity if identity else None

    def _keep(self, entry: Entry, content: WatchRows | npt.NDArray[np.int64]) -> Entry:
        others = sum(e.rows for e in self.entries() if e.kind == entry.kind and e.key != entry.key)
        if others + entry.rows > MOST_ROWS:
            raise WatchlistError(
                f"{others + entry.rows:,} rows in all, more than {MOST_ROWS:,}; remove some first"
            )
        home = self._folder / "entries" / entry.key
        making = home / f".{entry.version}.{os.getpid()}"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        if isinstance(content, WatchRows):
            columns = {name: getattr(content, name) for name in _COLUMNS}
            batch = pa.record_batch({**columns, "target": content.target})
            write_batch(making / ROWS, batch)
        else:
            np.save(making / RANGES, content)
        (making / ENTRY).write_text(entry.model_dump_json(indent=1) + "\n", encoding="utf-8")
        making.rename(home / str(entry.version))
        try:
            self._compile()
        except BaseException:
            shutil.rmtree(home / str(entry.version))
            raise
        for version in self._versions(entry.key)[:-KEPT_VERSIONS]:
            shutil.rmtree(home / str(version))
        return entry

    def _compile(self) -> str:
        entries = self.entries()
        if not entries:
            self._name_current("")
            return ""
        text = json.dumps([FORMAT, *[entry.model_dump() for entry in entries]])
        identity = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        folder = self._folder / "compiled" / identity
        if folder.exists() and not _opens(folder):
            shutil.rmtree(folder)
        if not folder.exists():
            save_watched(
                folder,
                [(e, self._rows(e)) for e in entries if e.kind == "positions"],
                [(e, self._ranges(e)) for e in entries if e.kind == "region"],
            )
        before = self.current()
        self._name_current(identity)
        # The one before stays for workers that still map it by name; older ones are gone.
        for old in (self._folder / "compiled").iterdir():
            if old.name not in {identity, before.name if before else ""}:
                shutil.rmtree(old, ignore_errors=True)
        return identity

    def _name_current(self, identity: str) -> None:
        new = self._folder / f"{CURRENT}.new"
        new.write_text(f"{identity}\n", encoding="ascii")
        new.replace(self._folder / CURRENT)

    def _rows(self, entry: Entry) -> WatchRows:
        path = self._folder / "entries" / entry.key / str(entry.version) / ROWS
        batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        ra_deg, dec_deg, radius_arcsec = (np.asarray(batch.column(name)) for name in _COLUMNS)
        return WatchRows(ra_deg, dec_deg, radius_arcsec, batch.column("target"))

    def _ranges(self, entry: Entry) -> npt.NDArray[np.int64]:
        path = self._folder / "entries" / entry.key / str(entry.version) / RANGES
        ranges: npt.NDArray[np.int64] = np.load(path)
        return ranges

    def _versions(self, key: str) -> list[int]:
        names = [path.name for path in (self._folder / "entries" / key).glob("*")]
        return sorted(int(name) for name in names if name.isdigit())

    def _entry(self, key: str, version: int) -> Entry:
        path = self._folder / "entries" / key / str(version) / ENTRY
        try:
            return Entry.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise WatchlistError(f"{path} is damaged; remove its folder: {error}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One import at a time: two must not compile over each other."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _validated(known: dict[str, object]) -> Entry:
    try:
        return Entry.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        raise WatchlistError(f"{first['loc'][0]}: {first['msg']}") from error


def _opens(folder: Path) -> bool:
    try:
        open_watched(folder)
    except WatchlistError:
        return False
    return True
