"""What the matches mean: host galaxies, context, redshift and distance, solar system, dust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.context.judge import context_column
from services.xmatch.hosts.candidates import ambiguity_of, find_hosts, hosts_column
from services.xmatch.hosts.galaxies import Galaxies, gather_galaxies
from services.xmatch.match_rows import match_rows
from services.xmatch.redshift.choose import choose_redshifts
from shared.alert_batch import AlertBatch
from shared.schemas.matched import (
    CONTEXT,
    DESCRIBED,
    DISTANCE_MPC,
    HOST_AMBIGUITY,
    HOSTS,
    REDSHIFT,
)
from shared.sky.cone_search import Queries


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What ``describe`` looks things up in, opened once for the catalogs of a worker."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    """``Catalog.kind`` of every catalog that is searched, by name."""
    hosted: frozenset[str] = frozenset()
    """Names of the catalogs whose galaxies are in ``galaxies``."""
    galaxies: Galaxies | None = None


def surroundings_of(catalogs: Sequence[CatalogIndex]) -> Surroundings:
    """Gather what the catalogs know beyond their matches; takes seconds for millions of rows."""
    galaxies = gather_galaxies(catalogs)
    used = [] if galaxies is None else np.unique(galaxies.catalog).tolist()
    return Surroundings(
        kinds={index.name: index.kind for index in catalogs},
        hosted=frozenset(catalogs[code].name for code in used),
        galaxies=galaxies,
    )


def describe(batch: AlertBatch, around: Surroundings) -> AlertBatch:
    """Add the columns of ``shared.schemas.matched.DESCRIBED``.

    Parameters
    ----------
    batch
        Alerts with ``matches``, as ``crossmatch`` gives them.
    around
        What to look things up in; what it lacks becomes null.
    """
    n = len(batch)
    queries = Queries.at(batch.ra_deg, batch.dec_deg)
    matches = match_rows(batch, around.kinds, around.hosted)
    columns: dict[pa.Field, pa.Array] = {}
    hosts = None
    if around.galaxies is not None:
        hosts = find_hosts(queries, around.galaxies)
        columns[HOSTS] = hosts_column(hosts, around.galaxies)
        columns[HOST_AMBIGUITY] = ambiguity_of(hosts)
    columns[CONTEXT] = context_column(
        batch, matches, hosts, around.galaxies, searched=bool(around.kinds)
    )
    chosen = choose_redshifts(matches, hosts, around.galaxies)
    columns[REDSHIFT] = chosen.column
    columns[DISTANCE_MPC] = _float32(chosen.distance_mpc)
    return batch.with_columns(
        {f: columns[f] if f in columns else pa.nulls(n, f.type) for f in DESCRIBED}
    )


def _float32(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values.astype(np.float32), from_pandas=True)
