"""The ``photo_z`` column: the model's answer for the host, else for the source at the place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.hosts.candidates import HostCandidates
from services.xmatch.hosts.galaxies import Galaxies
from services.xmatch.photoz.features import LEAST_BANDS, feature_rows
from services.xmatch.photoz.forest import HIGH, LEVELS, LOW, MEDIAN, PhotoZModel
from shared.schemas.matched import PHOTO_Z
from shared.sky.cone_search import Queries, cone_search

NEAR_ARCSEC = 2.0
"""A source farther than this is another one than the alert's."""
_OK, _NO_PHOTOMETRY, _TOO_FEW, _OUTSIDE = range(4)
_REASONS = pa.array(["ok", "no_photometry", "too_few_bands", "outside_training"])

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PhotoZEstimates:
    """Estimates of a batch, shape (n,)."""

    column: pa.StructArray
    """The ``photo_z`` column."""
    value: npt.NDArray[np.float64]
    """Median; NaN without an estimate."""
    error: npt.NDArray[np.float64]
    """Half the width of the central 68 per cent."""
    of_host: npt.NDArray[np.bool_]
    """Whether the photometry is the best host's."""


def estimate(
    model: PhotoZModel,
    catalogs: Sequence[CatalogIndex],
    queries: Queries,
    hosts: HostCandidates | None,
    galaxies: Galaxies | None,
) -> PhotoZEstimates:
    """Photometric redshifts of a batch of alerts.

    Parameters
    ----------
    model
        It is asked only about catalogs it was trained for.
    catalogs
        All that are searched.
    queries
        Where the alerts are.
    hosts, galaxies
        Host candidates, if any catalog has galaxies; ``galaxies`` numbers ``catalogs``.
    """
    n = len(queries.cells29)
    usable = [c for c, index in enumerate(catalogs) if index.name in model.catalogs]
    catalog, row, of_host = _of_hosts(n, usable, hosts, galaxies)
    for code in usable:
        empty = catalog < 0
        if empty.any():
            near = cone_search(catalogs[code].positions, queries, radius_arcsec=NEAR_ARCSEC, most=1)
            taken = empty[near.query]
            catalog[near.query[taken]], row[near.query[taken]] = code, near.row[taken]
    reason = np.where(catalog < 0, _NO_PHOTOMETRY, _TOO_FEW).astype(np.int8)
    quantiles = np.full((n, len(LEVELS)), np.nan)
    names = pa.nulls(n, pa.string())
    for code in usable:
        at = np.flatnonzero(catalog == code)
        if len(at):
            features, known = feature_rows(catalogs[code].photometry, model.bands, row[at])
            reason[at[known == 0]] = _NO_PHOTOMETRY
            inside = model.forest.covers(features)
            reason[at[(known >= LEAST_BANDS) & ~inside]] = _OUTSIDE
            good = (known >= LEAST_BANDS) & inside
            reason[at[good]] = _OK
            quantiles[at[good]] = model.forest.quantiles(features[good])
            names = _with_names(names, at, catalogs[code], row[at])
    return _made(model, catalogs, catalog, names, reason, quantiles, of_host)


def _of_hosts(
    n: int, usable: Sequence[int], hosts: HostCandidates | None, galaxies: Galaxies | None
) -> tuple[npt.NDArray[np.int16], Integers, npt.NDArray[np.bool_]]:
    """Catalog and row of the best host's photometry, -1 where it has none that serves."""
    catalog, row = np.full(n, -1, np.int16), np.full(n, -1, np.int64)
    if hosts is not None and galaxies is not None and len(hosts.galaxy):
        best = hosts.best
        galaxy = hosts.galaxy[np.maximum(best, 0)]
        serves = (best >= 0) & np.isin(galaxies.photometry_catalog[galaxy], usable)
        serves &= ~galaxies.is_satellite[galaxy]
        catalog[serves] = galaxies.photometry_catalog[galaxy[serves]]
        row[serves] = galaxies.photometry_row[galaxy[serves]]
    return catalog, row, catalog >= 0


def _with_names(names: pa.Array, at: Integers, index: CatalogIndex, row: Integers) -> pa.Array:
    """``names`` with those of one catalog's rows put in."""
    found = index.sources.names(row)
    where = np.full(len(names), -1, np.int64)
    where[at] = np.arange(len(at))
    put = found.take(pa.array(where, mask=where < 0))
    return pc.coalesce(put, names)


def _made(
    model: PhotoZModel,
    catalogs: Sequence[CatalogIndex],
    catalog: npt.NDArray[np.int16],
    names: pa.Array,
    reason: npt.NDArray[np.int8],
    quantiles: npt.NDArray[np.float64],
    of_host: npt.NDArray[np.bool_],
) -> PhotoZEstimates:
    n, answered = len(catalog), reason == _OK
    lengths = np.where(answered, len(LEVELS), 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    flat = pa.array(quantiles[answered].ravel().astype(np.float32))
    lists = pa.ListArray.from_arrays(pa.array(offsets), flat, mask=pa.array(~answered))
    value = quantiles[:, MEDIAN]
    titles = pa.array([index.name for index in catalogs], pa.string())
    column = pa.StructArray.from_arrays(
        [
            pa.array(value.astype(np.float32), from_pandas=True),
            lists,
            titles.take(pa.array(catalog, mask=catalog < 0)),
            names,
            _REASONS.take(pa.array(reason)),
            pa.repeat(model.version, n),
        ],
        fields=list(PHOTO_Z.type),
    )
    error = 0.5 * (quantiles[:, HIGH] - quantiles[:, LOW])
    return PhotoZEstimates(column, value, error, of_host)
