"""What the matches mean: host galaxies, context, redshift and distance, solar system, dust."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.context.judge import context_column
from services.xmatch.hosts.candidates import ambiguity_of, find_hosts, hosts_column
from services.xmatch.match_rows import match_rows
from services.xmatch.photoz.estimates import estimate
from services.xmatch.redshift.choose import choose_redshifts, with_photo_z
from services.xmatch.solar_system.bodies import bodies_column
from services.xmatch.surroundings import Surroundings
from shared.alert_batch import AlertBatch
from shared.schemas.matched import (
    CONTEXT,
    DESCRIBED,
    DISTANCE_MPC,
    EBV_MAG,
    HOST_AMBIGUITY,
    HOSTS,
    PHOTO_Z,
    REDSHIFT,
    SOLAR_SYSTEM,
)
from shared.sky.cone_search import Queries


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
    columns[SOLAR_SYSTEM], moving = bodies_column(batch, queries, around.ephemeris)
    columns[CONTEXT] = context_column(
        batch, matches, hosts, around.galaxies, moving=moving, searched=bool(around.kinds)
    )
    chosen = choose_redshifts(matches, hosts, around.galaxies)
    if around.photo_z is not None:
        estimates = estimate(around.photo_z, around.catalogs, queries, hosts, around.galaxies)
        columns[PHOTO_Z] = estimates.column
        chosen = with_photo_z(chosen, estimates)
    columns[REDSHIFT] = chosen.column
    columns[DISTANCE_MPC] = _float32(chosen.distance_mpc)
    if around.dust is not None:
        columns[EBV_MAG] = pa.array(around.dust.ebv_mag(queries.vectors), from_pandas=True)
    return batch.with_columns(
        {f: columns[f] if f in columns else pa.nulls(n, f.type) for f in DESCRIBED}
    )


def _float32(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values.astype(np.float32), from_pandas=True)
