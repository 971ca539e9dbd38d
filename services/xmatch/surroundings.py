"""What ``describe`` looks things up in, opened once for the catalogs of a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.dust import open_dust_map
from services.xmatch.dust.base import DustMap
from services.xmatch.hosts.galaxies import Galaxies, gather_galaxies
from services.xmatch.photoz.forest import PhotoZModel, load_model
from services.xmatch.solar_system.ephemeris import Ephemeris
from services.xmatch.solar_system.mpcorb import read_mpcorb
from shared.errors import TocsinError

log = structlog.get_logger()

Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything but the matches; what is None makes its column null."""

    catalogs: tuple[CatalogIndex, ...] = ()
    """What is searched."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """``Catalog.kind`` of every catalog that is searched, by name."""
    hosted: frozenset[str] = frozenset()
    """Names of the catalogs whose galaxies are in ``galaxies``."""
    galaxies: Galaxies | None = None
    ephemeris: Ephemeris | None = None
    dust: DustMap | None = None
    photo_z: PhotoZModel | None = None


def surroundings_of(
    catalogs: Sequence[CatalogIndex],
    *,
    ephemeris: Ephemeris | None = None,
    dust: DustMap | None = None,
    photo_z: PhotoZModel | None = None,
) -> Surroundings:
    """Gather what the catalogs know beyond their matches; takes seconds for millions of rows."""
    galaxies = gather_galaxies(catalogs)
    used = [] if galaxies is None else np.unique(galaxies.catalog).tolist()
    return Surroundings(
        catalogs=tuple(catalogs),
        kinds={index.name: index.kind for index in catalogs},
        hosted=frozenset(catalogs[code].name for code in used),
        galaxies=galaxies,
        ephemeris=ephemeris,
        dust=dust,
        photo_z=photo_z,
    )


def open_ephemeris(
    path: Path | None, radius_arcsec: float, faintest_magnitude: float
) -> Ephemeris | None:
    """The bodies of an MPCORB file; None, with a warning, if there is none to be had."""

    def read(file: Path) -> Ephemeris:
        return Ephemeris(read_mpcorb(file), radius_arcsec, faintest_magnitude)

    return _opened("orbits_unavailable", path, read)


def open_dust(path: Path | None) -> DustMap | None:
    """A dust map; None, with a warning, if there is none to be had."""
    return _opened("dust_map_unavailable", path, open_dust_map)


def open_photo_z(folder: Path | None) -> PhotoZModel | None:
    """A photometric-redshift model; None, with a warning, if there is none to be had."""
    return _opened("photo_z_model_unavailable", folder, load_model)


def _opened(event: str, path: Path | None, read: Callable[[Path], Opened]) -> Opened | None:
    """What a setting names; a file that cannot be read does not stop the others serving."""
    if path is None:
        return None
    try:
        return read(path)
    except TocsinError as error:
        log.warning(event, path=str(path), error=str(error))
        return None
