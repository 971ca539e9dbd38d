"""All galaxies that may be hosts, of all catalogs, in one table with one row per galaxy.

The same galaxy in several catalogs is one row: it is named as in the catalog that has its axes,
else as in the first, and takes redshift and distance from whoever has the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.hosts.entries import Entries, entries_of, galaxy_rows, one_row_each
from services.xmatch.redshift.cosmology import kpc_per_arcsec, luminosity_distance_mpc
from shared.sky.cone_search import SortedCatalog
from shared.sky.sorted_catalog import sort_catalog

log = structlog.get_logger()

MOST_DLR = 3.0
"""A host's rim is at most so many times nearer to its centre than the alert."""
WIDEST_ARCSEC = 600.0
"""Farther from the centre only the galaxy's own disc counts: three radii of M31 are 4 degrees."""
WIDEST_WITHOUT_AXES_ARCSEC = 300.0
MOST_KPC = 100.0
"""Largest projected offset from a galaxy with axes."""
MOST_KPC_WITHOUT_AXES = 50.0
"""Sherlock's limit for galaxies of known distance (Smith et al. 2020, section 4.2)."""
CENTRE_ARCSEC = 2.0
"""So near the centre an alert is in a galaxy however small its axes are said to be."""
BARE_ARCSEC = 5.0
"""How far a galaxy reaches of which only the position is known."""
SATELLITE_SEMI_MAJOR_ARCSEC = 7_200.0
SATELLITE_MPC = 0.2
"""Wider than 2 degrees or nearer than this it is a satellite of the Milky Way."""
MOST_GALAXIES = 30_000_000
"""A catalog that would bring more is left out of the host search: 3 GB of memory."""


@dataclass(frozen=True, slots=True)
class Galaxies:
    """Galaxies, each once, in the row order of ``positions``; shape (g,) unless said."""

    catalogs: tuple[CatalogIndex, ...]
    """What the catalog numbers stand for."""
    names: pa.StringArray
    versions: pa.StringArray
    """Their names and versions."""
    positions: SortedCatalog
    catalog: npt.NDArray[np.int16]
    row: npt.NDArray[np.int64]
    """Catalog and row that name the galaxy."""
    semi_major_arcsec: npt.NDArray[np.float64]
    semi_minor_arcsec: npt.NDArray[np.float64]
    position_angle_deg: npt.NDArray[np.float64]
    redshift: npt.NDArray[np.float64]
    redshift_err: npt.NDArray[np.float64]
    redshift_kind: npt.NDArray[np.uint8]
    redshift_catalog: npt.NDArray[np.int16]
    redshift_row: npt.NDArray[np.int64]
    """Catalog and row the redshift is from."""
    distance_mpc: npt.NDArray[np.float64]
    """Of a catalog, else from the redshift; NaN where neither serves."""
    kpc_per_arcsec: npt.NDArray[np.float64]
    is_satellite: npt.NDArray[np.bool_]
    """Of the Milky Way: what is seen in its direction is rarely in it."""
    photometry_catalog: npt.NDArray[np.int16]
    """Catalog and row with magnitudes of the galaxy; -1 if none has."""
    photometry_row: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """How many galaxies there are."""
        return len(self.positions)

    @property
    def has_axes(self) -> npt.NDArray[np.bool_]:
        """Whether a directional light radius is known."""
        return np.isfinite(self.semi_major_arcsec)


def gather_galaxies(catalogs: Sequence[CatalogIndex]) -> Galaxies | None:
    """The galaxies of all catalogs that may give hosts; None if there are none.

    Parameters
    ----------
    catalogs
        In order of preference for names, distances and redshifts.
    """
    parts = []
    for code, index in enumerate(catalogs):
        if not index.has_hosts:
            continue
        rows = galaxy_rows(index)
        if len(rows) > MOST_GALAXIES:
            log.warning("too_many_galaxies_for_hosts", catalog=index.name, galaxies=len(rows))
        elif len(rows):
            parts.append(entries_of(code, index, rows))
    if not parts:
        return None
    entries = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return _sorted(tuple(catalogs), one_row_each(entries))


def _sorted(catalogs: tuple[CatalogIndex, ...], galaxies: Entries) -> Galaxies:
    """Distances, reaches, and the order in which they are searched."""
    redshift, major = galaxies["redshift"], galaxies["semi_major_arcsec"]
    own = galaxies["distance_mpc"]
    distance = np.where(np.isfinite(own), own, luminosity_distance_mpc(redshift))
    scale = kpc_per_arcsec(distance, redshift)
    satellite = (major > SATELLITE_SEMI_MAJOR_ARCSEC) | (own < SATELLITE_MPC)
    reach = reach_arcsec(major, scale, satellite)
    positions, order = sort_catalog(galaxies["ra_deg"], galaxies["dec_deg"], reach)
    columns = {
        **galaxies,
        "distance_mpc": distance,
        "kpc_per_arcsec": scale,
        "is_satellite": satellite,
    }
    names = {field.name for field in fields(Galaxies)} - {
        "catalogs",
        "names",
        "versions",
        "positions",
    }
    return Galaxies(
        catalogs=catalogs,
        names=pa.array([index.name for index in catalogs]),
        versions=pa.array([index.version for index in catalogs]),
        positions=positions,
        **{name: columns[name][order] for name in sorted(names)},
    )


def reach_arcsec(
    semi_major_arcsec: npt.NDArray[np.float64],
    scale_kpc_per_arcsec: npt.NDArray[np.float64],
    is_satellite: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """How far an alert may be from each galaxy in any direction, arcseconds, shape (g,)."""
    disc = np.where(is_satellite, 1.0, MOST_DLR) * semi_major_arcsec
    disc = np.where(disc > WIDEST_ARCSEC, np.fmax(semi_major_arcsec, WIDEST_ARCSEC), disc)
    disc = np.fmin(disc, MOST_KPC / scale_kpc_per_arcsec)
    bare = np.fmin(MOST_KPC_WITHOUT_AXES / scale_kpc_per_arcsec, WIDEST_WITHOUT_AXES_ARCSEC)
    bare = np.where(np.isfinite(scale_kpc_per_arcsec), bare, BARE_ARCSEC)
    return np.fmax(np.where(np.isfinite(semi_major_arcsec), disc, bare), CENTRE_ARCSEC)
