"""The verb: adds to each alert the watched positions and regions it lies in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from services.xmatch.watchlists.compiled import Watched
from services.xmatch.watchlists.segments import regions_at
from shared.alert_batch import AlertBatch
from shared.schemas.watched import REGIONS, WATCHED, WATCHLISTS
from shared.sky.cone_search import Queries, cone_search

MOST_TARGETS = 50
"""Watched positions an alert keeps, the nearest of all lists."""
_WHOSE_NAMES = [field.name for field in REGIONS.type.value_type]


def watch(batch: AlertBatch, watched: Watched | None) -> AlertBatch:
    """Add the columns of ``shared.schemas.watched.WATCHED``.

    Parameters
    ----------
    batch
        Alerts with ICRS positions in degrees.
    watched
        What users watch; None if nobody watches anything: both columns are null then.
    """
    if watched is None:
        return batch.with_columns({f: pa.nulls(len(batch), f.type) for f in WATCHED})
    queries = Queries.at(batch.ra_deg, batch.dec_deg)
    return batch.with_columns(
        {WATCHLISTS: _lists(watched, queries), REGIONS: _regions(watched, queries)}
    )


def _lists(watched: Watched, queries: Queries) -> pa.ListArray:
    found = cone_search(watched.positions, queries, most=MOST_TARGETS)
    offsets = np.zeros(len(queries.cells29) + 1, np.int32)
    np.cumsum(np.bincount(found.query, minlength=len(queries.cells29)), out=offsets[1:])
    whose = watched.lists.take(pa.array(watched.list_of[found.row]))
    columns = dict(zip(_WHOSE_NAMES, whose.flatten(), strict=True))
    columns["separation_arcsec"] = pa.array(found.separation_arcsec.astype(np.float32))
    columns["target"] = watched.targets.take(pa.array(found.row))
    members = list(WATCHLISTS.type.value_type)
    hits = pa.StructArray.from_arrays([columns[f.name] for f in members], fields=members)
    return pa.ListArray.from_arrays(pa.array(offsets), hits, type=WATCHLISTS.type)


def _regions(watched: Watched, queries: Queries) -> pa.ListArray:
    offsets, codes = regions_at(watched.segments, queries.cells29)
    hits = watched.regions.take(pa.array(codes))
    return pa.ListArray.from_arrays(pa.array(offsets), hits, type=REGIONS.type)
