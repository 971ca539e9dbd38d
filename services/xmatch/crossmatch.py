"""The verb: adds to each alert what the catalogs know about its position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from services.xmatch.catalog_index import SOURCE_FIELDS, CatalogIndex
from shared.alert_batch import AlertBatch
from shared.kafka.records import RejectedAlert, StageResult
from shared.schemas.alert import MATCH, MATCHED
from shared.sky.cone_search import ConeMatches, Queries, cone_search
from shared.sky.proper_motion import julian_year
from shared.sky.separation import galactic_latitude_of, is_on_sky

MATCHES_FIELD, GALACTIC_LATITUDE_FIELD = MATCHED
MATCH_FIELDS = list(MATCH)
MATCH_NAMES = [field.name for field in MATCH_FIELDS]
SOURCE_NAMES = [field.name for field in SOURCE_FIELDS]


def crossmatch(
    batch: AlertBatch, catalogs: Sequence[CatalogIndex], most_per_catalog: int
) -> AlertBatch:
    """Add ``matches`` and ``galactic_latitude_deg`` to a batch.

    Parameters
    ----------
    batch
        Alerts with ICRS positions in degrees; stars with proper motions are looked for where
        they were at the alert's ``mjd_tai``.
    catalogs
        What to search. None at all gives empty lists of matches.
    most_per_catalog
        Keep only so many sources of each catalog for each alert, the nearest.

    Returns
    -------
    The batch with the columns of ``shared.schemas.alert.MATCHED``; the matches of an alert are
    in order of separation, equal ones in order of ``catalogs``.
    """
    epoch_year = julian_year(batch.floats("mjd_tai"))
    queries = Queries.at(batch.ra_deg, batch.dec_deg, epoch_year)
    found = [cone_search(c.positions, queries, most=most_per_catalog) for c in catalogs]
    latitude = galactic_latitude_of(queries.vectors).astype(np.float32)
    return batch.with_columns(
        {
            MATCHES_FIELD: matches_column(len(batch), catalogs, found),
            GALACTIC_LATITUDE_FIELD: pa.array(latitude),
        }
    )


def warm_up(catalogs: Sequence[CatalogIndex]) -> None:
    """Compile or load the kernels now, so that the first alerts do not wait for it."""
    queries = Queries.at(0.0, 0.0)
    for catalog in catalogs:
        cone_search(catalog.positions, queries)


def crossmatch_or_reject(
    batch: AlertBatch, catalogs: Sequence[CatalogIndex], most_per_catalog: int
) -> StageResult:
    """``crossmatch``, with alerts that have no place on the sky set aside as ``bad_position``."""
    ra_deg, dec_deg = batch.ra_deg, batch.dec_deg
    on_sky = is_on_sky(ra_deg, dec_deg)
    rejected = [
        RejectedAlert(
            int(row),
            "bad_position",
            f"RA {ra_deg[row]}, Dec {dec_deg[row]} is not a place on the sky",
        )
        for row in np.flatnonzero(~on_sky)
    ]
    kept = batch.rows(on_sky) if rejected else batch
    return StageResult(crossmatch(kept, catalogs, most_per_catalog), rejected=rejected)


def matches_column(
    alerts: int, catalogs: Sequence[CatalogIndex], found: Sequence[ConeMatches]
) -> pa.ListArray:
    """The ``matches`` column: what was found in each catalog, nearest first, shape (alerts,)."""
    hits = [
        (code, catalog, matches)
        for code, (catalog, matches) in enumerate(zip(catalogs, found, strict=True))
        if len(matches.row)
    ]
    if not hits:
        offsets = pa.array(np.zeros(alerts + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, pa.nulls(0, MATCH), type=MATCHES_FIELD.type)
    query = np.concatenate([matches.query for _, _, matches in hits])
    separation = np.concatenate([matches.separation_arcsec for _, _, matches in hits])
    code = np.repeat([code for code, _, _ in hits], [len(matches.row) for _, _, matches in hits])
    order = np.lexsort((separation, query))
    sources = pa.concat_arrays([c.sources.take(pa.array(m.row)) for _, c, m in hits])
    if len(hits) > 1:
        sources = sources.take(pa.array(order))
    by_rank = pa.array(code[order])
    columns = {
        "catalog": pa.array([catalog.name for catalog in catalogs]).take(by_rank),
        "catalog_version": pa.array([catalog.version for catalog in catalogs]).take(by_rank),
        "separation_arcsec": pa.array(separation[order].astype(np.float32)),
    }
    columns.update(zip(SOURCE_NAMES, sources.flatten(), strict=True))
    matches = pa.StructArray.from_arrays(
        [columns[name] for name in MATCH_NAMES], fields=MATCH_FIELDS
    )
    offsets = np.zeros(alerts + 1, dtype=np.int32)
    np.cumsum(np.bincount(query, minlength=alerts), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), matches, type=MATCHES_FIELD.type)
