"""Finds a data file inside an installed distribution, without importing anything of it."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from services.xmatch.catalogs.base import Catalog, CatalogUnavailableError


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A catalog's files and the release they belong to."""

    paths: tuple[Path, ...]
    release: str
    """Distribution and version, e.g. ``fink-science-7.4.0``."""


def packaged_file(catalog: Catalog) -> SourceFile:
    """Where the catalog's files are on this machine.

    Raises
    ------
    CatalogUnavailableError
        If no package brings it, or the package is not installed or has no such file.
    """
    package = catalog.package
    if package is None:
        raise CatalogUnavailableError(
            f"{catalog.title} is not imported, and no package brings it; run: {catalog.mend}"
        )
    try:
        distribution = importlib.metadata.distribution(package.distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise CatalogUnavailableError(
            f"{catalog.title} comes with the package {package.distribution}, "
            f"which is not installed; run: {package.install}"
        ) from error
    paths = tuple(Path(str(distribution.locate_file(member))) for member in package.members)
    for member, path in zip(package.members, paths, strict=True):
        if not path.is_file():
            raise CatalogUnavailableError(
                f"{package.distribution} {distribution.version} is installed but has no "
                f"{member}; run: {package.install}"
            )
    return SourceFile(paths, f"{package.distribution}-{distribution.version}")
