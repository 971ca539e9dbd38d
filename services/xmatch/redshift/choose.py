"""Chooses the redshift of each alert among the sources at its place and its best host."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import REDSHIFT_KINDS
from services.xmatch.context.natures import Nature
from services.xmatch.hosts.candidates import HostCandidates, source_ids
from services.xmatch.hosts.galaxies import Galaxies
from services.xmatch.match_rows import MatchRows
from services.xmatch.photoz.estimates import PhotoZEstimates
from services.xmatch.redshift.cosmology import luminosity_distance_mpc
from shared.schemas.matched import REDSHIFT

NEAR_ARCSEC = 2.0
"""A source farther than this is another one than the alert's."""
_HAS_REDSHIFT = np.isin(
    np.arange(len(Nature)), [Nature.GALAXY, Nature.ACTIVE_NUCLEUS, Nature.OTHER]
)
"""By nature: what a redshift is believed of. Galaxies of the host search are hosts or nothing."""
TRUST = {"spec": 0, "": 1, "phot": 2}
"""Rank of each kind of redshift, the best 0; of equals the source at the place wins."""
_NONE = 9
_KINDS = pa.array([kind or None for kind in REDSHIFT_KINDS], pa.string())
_OF = pa.array(["source", "host"])
_TRUST_OF_CODE = np.array([TRUST[kind] for kind in REDSHIFT_KINDS])

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ChosenRedshifts:
    """One redshift for each alert, and the distance that goes with it, shape (n,)."""

    column: pa.StructArray
    """The ``redshift`` column."""
    distance_mpc: Floats
    """The ``distance_mpc`` column, NaN where not known."""


def _kind_codes(matches: MatchRows) -> Integers:
    """Codes of ``REDSHIFT_KINDS`` of the matches."""
    words = matches.member("redshift_kind")
    codes = np.zeros(len(matches), np.int64)
    for code, kind in enumerate(REDSHIFT_KINDS):
        if kind and words.null_count < len(words):
            same = pc.fill_null(pc.equal(words, kind), fill_value=False)
            codes[same.to_numpy(zero_copy_only=False)] = code
    return codes


def choose_redshifts(
    matches: MatchRows, hosts: HostCandidates | None, galaxies: Galaxies | None
) -> ChosenRedshifts:
    """The best redshift of each alert: spectroscopic, else of unstated kind, else photometric."""
    n = matches.alerts
    redshift = matches.numbers("redshift")
    near = (matches.separation_arcsec <= NEAR_ARCSEC) & _HAS_REDSHIFT[matches.nature]
    usable = near & np.isfinite(redshift)
    if not usable.any() and (hosts is None or not len(hosts.galaxy)):
        return ChosenRedshifts(pa.nulls(n, REDSHIFT.type), np.full(n, np.nan))
    codes = _kind_codes(matches)
    source_trust, row = np.full(n, _NONE), np.full(n, -1, np.int64)
    for trust in (2, 1, 0):
        first = matches.first_of(usable & (_TRUST_OF_CODE[codes] == trust))
        row = np.where(first >= 0, first, row)
        source_trust[first >= 0] = trust
    galaxy, host_trust, host_distance = _of_hosts(n, hosts, galaxies)
    of_host = (host_trust < source_trust) & (galaxy >= 0)
    of_source = ~of_host & (row >= 0)
    value, error, code = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64)
    value[of_source], code[of_source] = redshift[row[of_source]], codes[row[of_source]]
    error[of_source] = matches.numbers("redshift_err")[row[of_source]]
    if galaxies is not None and of_host.any():
        at = galaxy[of_host]
        value[of_host], error[of_host] = galaxies.redshift[at], galaxies.redshift_err[at]
        code[of_host] = galaxies.redshift_kind[at]
    distance = np.where(of_source, luminosity_distance_mpc(value), host_distance)
    own = matches.numbers("distance_mpc")[np.maximum(row, 0)] if len(matches) else distance
    distance = np.where(of_source & np.isfinite(own), own, distance)
    catalog, source_id = _names(matches, np.where(of_source, row, -1), galaxies,
                                np.where(of_host, galaxy, -1))  # fmt: skip
    known = of_host | of_source
    column = pa.StructArray.from_arrays(
        [
            pa.array(value.astype(np.float32), from_pandas=True),
            pa.array(error.astype(np.float32), from_pandas=True),
            _KINDS.take(pa.array(code)),
            _OF.take(pa.array(of_host.astype(np.int8))),
            catalog,
            source_id,
        ],
        fields=list(REDSHIFT.type),
        mask=pa.array(~known),
    )
    return ChosenRedshifts(column, distance)


def with_photo_z(chosen: ChosenRedshifts, estimates: PhotoZEstimates) -> ChosenRedshifts:
    """Estimated redshifts put in where no catalog has any."""
    fills = pc.is_null(chosen.column).to_numpy(zero_copy_only=False) & np.isfinite(estimates.value)
    if not fills.any():
        return chosen
    estimated = pa.StructArray.from_arrays(
        [
            pa.array(estimates.value.astype(np.float32), from_pandas=True),
            pa.array(estimates.error.astype(np.float32), from_pandas=True),
            pa.repeat("phot", len(fills)),
            _OF.take(pa.array(estimates.of_host.astype(np.int8))),
            estimates.column.field("catalog"),
            estimates.column.field("source_id"),
        ],
        fields=list(REDSHIFT.type),
        mask=pa.array(~fills),
    )
    unknown = fills & np.isnan(chosen.distance_mpc)
    distance = np.where(unknown, luminosity_distance_mpc(estimates.value), chosen.distance_mpc)
    return ChosenRedshifts(pc.coalesce(chosen.column, estimated), distance)


def _of_hosts(
    n: int, hosts: HostCandidates | None, galaxies: Galaxies | None
) -> tuple[Integers, Integers, Floats]:
    """Best host with a redshift, how far that is to be trusted, and the best host's distance."""
    nobody = np.full(n, -1, np.int64)
    if hosts is None or galaxies is None or not len(hosts.galaxy):
        return nobody, np.full(n, _NONE), np.full(n, np.nan)
    best = hosts.best
    at = hosts.galaxy[np.maximum(best, 0)]
    # What is seen in the direction of a satellite of the Milky Way is rarely in it.
    has = (best >= 0) & ~galaxies.is_satellite[at]
    known = has & np.isfinite(galaxies.redshift[at])
    trust = np.where(known, _TRUST_OF_CODE[galaxies.redshift_kind[at]], _NONE)
    distance = np.where(has, galaxies.distance_mpc[at], np.nan)
    return np.where(known, at, -1), trust, distance


def _names(
    matches: MatchRows, row: Integers, galaxies: Galaxies | None, galaxy: Integers
) -> tuple[pa.Array, pa.Array]:
    """Catalog and source of each redshift; null where neither a match nor a galaxy gave it."""
    n = len(row)
    catalogs, names = [matches.sources.field("catalog")], [matches.sources.field("source_id")]
    number = np.where(row >= 0, row, -1)
    if galaxies is not None and (galaxy >= 0).any():
        at = np.maximum(galaxy, 0)
        code = np.where(galaxy >= 0, galaxies.redshift_catalog[at], -1).astype(np.int16)
        catalogs.append(galaxies.names.take(pa.array(code, mask=code < 0)))
        names.append(source_ids(galaxies, code, galaxies.redshift_row[at]))
        number = np.where(galaxy >= 0, len(matches) + np.arange(n), number)
    wanted = pa.array(number, mask=number < 0)
    return pa.concat_arrays(catalogs).take(wanted), pa.concat_arrays(names).take(wanted)
