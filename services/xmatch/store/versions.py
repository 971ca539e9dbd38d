"""Where imported catalogs are: a folder for each name, in it one for each version, and a pointer.

``<folder>/<name>/current`` holds the name of the version that is served. It is replaced in one
step, so that a worker reads the old name or the new one, and versions lie side by side.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import TocsinError

CURRENT = "current"
MANIFEST = "manifest.json"
INDEX = "index"
HATS = "hats"

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


class NoSuchCatalogError(TocsinError):
    """A name or version is not there; the message says which are."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One imported version of a catalog."""

    name: str
    version: str
    folder: Path
    is_current: bool

    @property
    def index(self) -> Path:
        """The folder of its index."""
        return self.folder / INDEX

    @property
    def hats(self) -> Path:
        """The folder of its HATS catalog."""
        return self.folder / HATS

    def manifest(self) -> dict[str, Any]:
        """Provenance, and size and checksum of every file.

        Raises
        ------
        NoSuchCatalogError
            If it cannot be read.
        """
        try:
            content = json.loads((self.folder / MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise NoSuchCatalogError(
                f"{self.folder / MANIFEST} cannot be read ({error}); remove the version and import "
                f"it again: tocsin catalogs remove {self.name}@{self.version}"
            ) from error
        return dict(content)


def check_name(name: str) -> str:
    """The name, if a catalog may be called so.

    Raises
    ------
    NoSuchCatalogError
        If not.
    """
    if not NAME.fullmatch(name):
        raise NoSuchCatalogError(
            f"{name!r} cannot name a catalog: small letters, digits and _, a letter first"
        )
    return name


def current_version(folder: Path, name: str) -> str | None:
    """The version of a catalog that is served; None if it was never imported."""
    try:
        version = (folder / name / CURRENT).read_text().strip()
    except OSError:
        return None
    return version if VERSION.fullmatch(version) else None


def imported(folder: Path, name: str) -> list[Imported]:
    """All versions of a catalog, the oldest import first."""
    if not NAME.fullmatch(name) or not (folder / name).is_dir():
        return []
    current = current_version(folder, name)
    homes = [home for home in (folder / name).iterdir() if (home / MANIFEST).is_file()]
    homes.sort(key=lambda home: (home / MANIFEST).stat().st_mtime_ns)
    return [Imported(name, home.name, home, home.name == current) for home in homes]


def imported_names(folder: Path) -> list[str]:
    """The catalogs that have a version to serve, in the order of their names."""
    if not folder.is_dir():
        return []
    return sorted(
        home.name for home in folder.iterdir() if (home / CURRENT).is_file() and home.is_dir()
    )


def find(folder: Path, wanted: str) -> Imported:
    """The version of ``NAME@VERSION``, or the current one of ``NAME``.

    Raises
    ------
    NoSuchCatalogError
        If it is not there.
    """
    name, _, version = wanted.partition("@")
    versions = imported(folder, name)
    for one in versions:
        if one.version == version or (not version and one.is_current):
            return one
    there = ", ".join(f"{name}@{one.version}" for one in versions)
    raise NoSuchCatalogError(
        f"{wanted} is not imported; "
        + (f"there are {there}" if there else f"run: tocsin catalogs import {name}")
    )


def make_current(folder: Path, name: str, version: str) -> None:
    """Let workers serve a version from now on."""
    new = folder / name / f".{CURRENT}.{os.getpid()}"
    new.write_text(version + "\n")
    new.replace(folder / name / CURRENT)


def remove(folder: Path, one: Imported) -> str | None:
    """Delete a version; returns the version that is current afterwards.

    A worker that has it open goes on with it until its next look at the pointer.
    """
    others = [other for other in imported(folder, one.name) if other.version != one.version]
    if one.is_current:
        if others:
            make_current(folder, one.name, others[-1].version)
        else:
            (folder / one.name / CURRENT).unlink(missing_ok=True)
    going = one.folder.with_name(f".{one.version}.removed.{os.getpid()}")
    one.folder.rename(going)
    shutil.rmtree(going)
    if not others and not any((folder / one.name).iterdir()):
        (folder / one.name).rmdir()
    return current_version(folder, one.name)
