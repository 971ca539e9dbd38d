"""Ranks the galaxies around each alert by the directional light radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.hosts.galaxies import (
    BARE_ARCSEC,
    CENTRE_ARCSEC,
    MOST_DLR,
    MOST_KPC,
    MOST_KPC_WITHOUT_AXES,
    WIDEST_ARCSEC,
    Galaxies,
)
from services.xmatch.hosts.light_radius import bearing_rad, light_radius_arcsec
from shared.schemas.matched import HOST, HOSTS
from shared.sky.cone_search import Queries, cone_search

MOST_HOSTS = 3
TYPICAL_RIM_KPC = 10.0
"""Rim of a galaxy without axes: the isophotal radius of one a third as luminous as ours."""
SATELLITE_HANDICAP = 1_000.0
"""Added to the normalised offset of a satellite of the Milky Way: any other galaxy comes first."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class HostCandidates:
    """Pairs of alert and galaxy: alerts in order, each alert's galaxies by rank; shape (p,)."""

    alerts: int
    """How many alerts were asked for."""
    alert: Integers
    galaxy: Integers
    """Row in ``Galaxies``."""
    rank: Integers
    """From 1."""
    separation_arcsec: Floats
    offset_kpc: Floats
    """NaN where the distance is not known."""
    d_dlr: Floats
    """NaN where the axes are not known."""
    normalised: Floats
    """What ranks them: d_dlr, or the offset over a typical rim."""

    @property
    def best(self) -> Integers:
        """For each alert the pair of rank 1, shape (alerts,); -1 where there is no host."""
        first = np.full(self.alerts, -1, np.int64)
        top = np.flatnonzero(self.rank == 1)
        first[self.alert[top]] = top
        return first


def find_hosts(queries: Queries, galaxies: Galaxies) -> HostCandidates:
    """The likely hosts of alerts, at most three each.

    Parameters
    ----------
    queries
        Where the alerts are.
    galaxies
        Where to look.
    """
    found = cone_search(galaxies.positions, queries)
    alert, galaxy, separation = found.query, found.row, found.separation_arcsec
    bearing = bearing_rad(galaxies.positions.vectors[galaxy], queries.vectors[alert])
    d_dlr = separation / light_radius_arcsec(
        galaxies.semi_major_arcsec[galaxy],
        galaxies.semi_minor_arcsec[galaxy],
        galaxies.position_angle_deg[galaxy],
        bearing,
    )
    offset = separation * galaxies.kpc_per_arcsec[galaxy]
    satellite = galaxies.is_satellite[galaxy]
    keep = _is_possible(separation, offset, d_dlr, satellite)
    alert, galaxy, separation = alert[keep], galaxy[keep], separation[keep]
    offset, d_dlr, satellite = offset[keep], d_dlr[keep], satellite[keep]
    bare = np.where(np.isfinite(offset), offset / TYPICAL_RIM_KPC, separation / BARE_ARCSEC)
    normalised = np.where(np.isfinite(d_dlr), d_dlr, bare) + SATELLITE_HANDICAP * satellite
    order = np.lexsort((normalised, alert))
    first = np.searchsorted(alert, alert, side="left")
    rank = np.arange(len(alert)) - first + 1
    kept = rank <= MOST_HOSTS
    order = order[kept]
    return HostCandidates(
        alerts=len(queries.cells29),
        alert=alert[order],
        galaxy=galaxy[order],
        rank=rank[kept],
        separation_arcsec=separation[order],
        offset_kpc=offset[order],
        d_dlr=d_dlr[order],
        normalised=normalised[order],
    )


def _is_possible(
    separation: Floats, offset_kpc: Floats, d_dlr: Floats, satellite: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Whether each galaxy may be the host; docs/context.md gives the reasons."""
    has_axes = np.isfinite(d_dlr)
    most_dlr = np.where(satellite | (separation > WIDEST_ARCSEC), 1.0, MOST_DLR)
    in_disc = (d_dlr <= most_dlr) & ~(offset_kpc > MOST_KPC)
    near = (offset_kpc <= MOST_KPC_WITHOUT_AXES) | np.isnan(offset_kpc)
    return np.where(has_axes, in_disc | (separation <= CENTRE_ARCSEC), near)


def ambiguity_of(found: HostCandidates) -> pa.Array:
    """``host_ambiguity``: normalised offset of the first host over that of the second.

    1 where both are as likely, 0 where the second is far or there is none; null without a host.
    """
    first = np.flatnonzero(found.rank == 1)
    ambiguity = np.full(found.alerts, np.nan)
    ambiguity[found.alert[first]] = 0.0
    second = np.flatnonzero(found.rank == 2)
    if len(second):
        one, two = found.normalised[second - 1], found.normalised[second]
        alike = two <= 0.0
        ratio = np.where(alike, 1.0, one / np.where(alike, 1.0, two))
        ambiguity[found.alert[second]] = ratio
    return pa.array(ambiguity.astype(np.float32), from_pandas=True)


def source_ids(galaxies: Galaxies, catalog: npt.NDArray[np.int16], row: Integers) -> pa.Array:
    """Names of galaxies as their catalogs have them, strings, shape (n,); null for catalog -1."""
    codes = [code for code in range(len(galaxies.catalogs)) if (catalog == code).any()]
    places = [np.flatnonzero(catalog == code) for code in codes]
    parts = []
    for code, at in zip(codes, places, strict=True):
        parts.append(galaxies.catalogs[code].sources.names(row[at]))
    if len(codes) == 1 and len(places[0]) == len(catalog):
        return parts[0]
    where = np.full(len(catalog), -1, np.int64)
    if parts:
        where[np.concatenate(places)] = np.arange(sum(map(len, places)))
    every = pa.concat_arrays(parts) if parts else pa.nulls(0, pa.string())
    return every.take(pa.array(where, mask=where < 0))


def hosts_column(found: HostCandidates, galaxies: Galaxies) -> pa.ListArray:
    """The ``hosts`` column, shape (alerts,)."""
    offsets = np.zeros(found.alerts + 1, np.int32)
    np.cumsum(np.bincount(found.alert, minlength=found.alerts), out=offsets[1:])
    if not len(found.galaxy):
        return pa.ListArray.from_arrays(pa.array(offsets), pa.nulls(0, HOST), type=HOSTS.type)
    at = found.galaxy
    catalog = galaxies.catalog[at]

    def numbers(values: Floats) -> pa.Array:
        return pa.array(values.astype(np.float32), from_pandas=True)

    columns = {
        "catalog": galaxies.names.take(pa.array(catalog)),
        "catalog_version": galaxies.versions.take(pa.array(catalog)),
        "source_id": source_ids(galaxies, catalog, galaxies.row[at]),
        "separation_arcsec": numbers(found.separation_arcsec),
        "offset_kpc": numbers(found.offset_kpc),
        "d_dlr": numbers(found.d_dlr),
        "redshift": numbers(galaxies.redshift[at]),
        "distance_mpc": numbers(galaxies.distance_mpc[at]),
        "rank": pa.array(found.rank.astype(np.int8)),
    }
    hosts = pa.StructArray.from_arrays([columns[field.name] for field in HOST], fields=list(HOST))
    return pa.ListArray.from_arrays(pa.array(offsets), hosts, type=HOSTS.type)
