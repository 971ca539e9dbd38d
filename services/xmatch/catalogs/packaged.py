"""Finds a data file inside an installed distribution, without importing anything of it."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from services.xmatch.catalogs.base import Catalog, CatalogUnavailableError


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A catalog's file and the release it belongs to."""

    path: Path
    release: str
    """Distribution and version, e.g. ``fink-science-7.4.0``."""


def packaged_file(catalog: Catalog) -> SourceFile:
    """Where the catalog's file is on this machine.

    Raises
    ------
    CatalogUnavailableError
        If the distribution is not installed or has no such file.
    """
    try:
        distribution = importlib.metadata.distribution(catalog.distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise CatalogUnavailableError(
            f"{catalog.title} comes with the package {catalog.distribution}, "
            f"which is not installed; run: {catalog.mend}"
        ) from error
    path = Path(str(distribution.locate_file(catalog.member)))
    if not path.is_file():
        raise CatalogUnavailableError(
            f"{catalog.distribution} {distribution.version} is installed but has no "
            f"{catalog.member}; run: {catalog.mend}"
        )
    return SourceFile(path, f"{catalog.distribution}-{distribution.version}")
